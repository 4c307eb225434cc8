/** A client that goes away without close_notify, and what the server's connection says about it. */
import { type CloseReport, connect, serve } from '@sluice/core';
import { SluiceError } from '@sluice/errors';
import { type TlsContext, tlsClient, tlsServer } from '@sluice/tls';

export interface Cut {
  /** What `closed` told, once. */
  report: CloseReport;
  /** What two later writes on the dead connection were told. */
  later: SluiceError[];
}

/**
 * Serves one client of this process, which sends half a command and then ends TCP underneath TLS: a proxy that crashed, a
 * firewall, somebody who wants the server to take what came for all there was.
 */
export async function cutConnection(server: TlsContext, client: TlsContext): Promise<Cut> {
  let told: ((cut: Cut) => void) | undefined;
  const cut = new Promise<Cut>((resolve) => {
    told = resolve;
  });
  const serving = await serve(
    { host: '127.0.0.1', port: 0, wrap: tlsServer(server) },
    {
      closed(bev, report) {
        told?.({ report, later: [errorOf(() => bev.write('STORED\r\n')), errorOf(() => bev.write('STORED\r\n'))] });
      },
    },
  );
  const [listener] = serving.listening;
  const socket = connect({ host: '127.0.0.1', port: listener?.address.port ?? 0 });
  const victim = tlsClient(client, { servername: 'localhost' })(socket);
  await new Promise((resolve) => victim.once('connected', () => resolve(undefined)));
  victim.write('set greeting 0 0 100\r\nhalf of the val');
  await victim.flush();
  socket.end();
  const result = await cut;
  victim.destroy();
  await serving.close();
  return result;
}

function errorOf(operation: () => void): SluiceError {
  try {
    operation();
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error('an operation on a closed connection succeeded');
}
