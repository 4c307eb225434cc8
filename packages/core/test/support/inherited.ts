/**
 * Serves what it inherited, and echoes: descriptors listed by LISTEN_FDS (`listen`), or the connection that descriptor 3
 * is (`adopt`). Tells on its standard output what it has; SIGTERM drains it.
 */
import { adopt, type BufferEvent, drainOnSignal, type Handlers, listenFds, Server } from '../../src/index.ts';

const echo: Handlers = { data: (bev: BufferEvent) => void bev.output.appendFrom(bev.input) };

if (process.argv[2] === 'listen') {
  const server = new Server(echo);
  const drain = drainOnSignal(server);
  for (const { fd, name } of listenFds()) {
    const listener = await server.listen({ fd });
    console.log(`${name} ${listener.transport} ${listener.address.port} ${process.env['LISTEN_FDS'] ?? 'taken'}`);
  }
  console.log('ready');
  const { closed, cut } = await drain.drained;
  console.log(`drained ${closed} ${cut}`);
} else {
  const bev = adopt(3);
  bev.setHandlers({ ...echo, closed: (_bev, report) => console.log(`${bev.transport} ${report.end}`) });
}
