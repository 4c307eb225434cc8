/** A worker that tells its clients which one it is. Its data say what goes wrong. */
import { joinWorkerPool, serve } from '../../src/index.ts';

await joinWorkerPool(async ({ index, port, host, data }) => {
  if (data === 'fail' && index === 1) throw new Error('worker 1 cannot');
  if (data === 'exit' && index === 1) process.exit(3);
  return serve(
    {
      port,
      host: host ?? '127.0.0.1',
      reusePort: true,
      timeouts: data === 'patient' ? { closeMs: Number.POSITIVE_INFINITY } : {},
    },
    {
      connected: (bev) => void bev.write(`worker ${index}\n`),
      data: (bev) => {
        if (bev.read().toString() === 'crash') throw new Error(`worker ${index} crashed`);
      },
    },
  );
});
