/** Connects with all descriptors of the process in use, then with some free again. */
import { closeSync, openSync } from 'node:fs';
import { connect, serve } from '../../src/index.ts';

const server = await serve({ port: 0, host: '127.0.0.1' }, { connected: (bev) => bev.end() });
const port = [...server.listening][0]?.address.port ?? 0;
const held: number[] = [];
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  const failed = await connect({ port, host: '127.0.0.1' }).close();
  console.log(failed.end, failed.code, failed.blame, failed.error?.operation);
}
for (const fd of held) closeSync(fd);
const second = connect({ port, host: '127.0.0.1' });
const report = await new Promise<{ end: string }>((resolve) => second.once('closed', resolve));
console.log('then', report.end);
await server.close();
