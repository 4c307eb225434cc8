// A load generator: one thread, one epoll instance; compares every byte that comes back.
#include <signal.h>
#include <sys/resource.h>

#include "cases.h"

/// Ten thousand connections need ten thousand descriptors: as many as may be had.
static void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char** argv) {
  struct options options = options_parse(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  switch (options.load_case) {
    case CASE_ECHO:
    case CASE_KV:
      case_exchange(&options);
      break;
    case CASE_CONNECT:
      case_connect(&options);
      break;
    case CASE_IDLE:
      case_idle(&options);
      break;
    case CASE_NEVER_READ:
      case_never_read(&options);
      break;
  }
  return 0;
}
