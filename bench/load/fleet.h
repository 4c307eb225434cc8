// Many streams that stay open, and phases of load over them.
#pragma once

#include <sys/epoll.h>

#include "report.h"
#include "stream.h"

enum { FLEET_EVENTS = 512, CONNECTING_MAX = 64 };

struct fleet {
  const struct options* options;
  struct target target;
  unsigned size;
  struct stream* streams;
};

/// Connects all of them, at most CONNECTING_MAX at a time. Ends the program when one fails.
void fleet_open(struct fleet* fleet, const struct options* options, bool narrow);

/// Exchanges until `count` per stream are done, or, when it is 0, until none has been begun for `duration_ns`;
/// then waits for the answers that are missing. Ends the program when a stream fails.
void fleet_run(struct fleet* fleet, const struct source* source, uint64_t duration_ns, uint64_t count,
               struct totals* totals);

/// epoll_wait, with a time limit in nanoseconds.
int wait_events(int poll, struct epoll_event* events, int max, uint64_t timeout_ns);
