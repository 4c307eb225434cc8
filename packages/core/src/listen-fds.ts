import { ApiMisuse } from '@sluice/errors';

/** A socket that the service manager opened for this process. */
export interface ListenFd {
  readonly fd: number;
  /** As its unit names it (`FileDescriptorName=`); systemd says 'unknown' where nothing does. */
  readonly name: string;
}

/** Where systemd begins to count. */
const FD_START = 3;

/** More than any unit lists. */
const FDS_MAX = 4096;

/**
 * The sockets that systemd's socket activation (or whoever speaks its protocol) passed on: LISTEN_FDS, if LISTEN_PID is
 * this process. Give each to `server.listen({ fd })`. Empty when there are none. The variables are taken out of the
 * environment, so that children do not take them for their own.
 * @throws ApiMisuse when LISTEN_FDS is meant for this process and is no count
 */
export function listenFds(env: NodeJS.ProcessEnv = process.env, pid: number = process.pid): ListenFd[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  if (LISTEN_PID === undefined || LISTEN_FDS === undefined || LISTEN_PID !== String(pid)) return [];
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) Reflect.deleteProperty(env, name);
  const count = /^\d{1,5}$/.test(LISTEN_FDS) ? Number(LISTEN_FDS) : Number.NaN;
  if (!(count <= FDS_MAX)) {
    throw new ApiMisuse(`LISTEN_FDS must be a count of descriptors up to ${FDS_MAX}, not '${LISTEN_FDS}'`, {
      code: 'SLUICE_CORE_LISTEN_FDS',
      layer: 'core',
      operation: 'listenFds',
    });
  }
  const names = LISTEN_FDNAMES === undefined ? [] : LISTEN_FDNAMES.split(':');
  return Array.from({ length: count }, (_, index) => ({ fd: FD_START + index, name: names[index] ?? 'unknown' }));
}
