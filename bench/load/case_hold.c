// idle and never-read: connections that are only there.
#include <errno.h>
#include <string.h>

#include "cases.h"
#include "clock.h"
#include "fail.h"
#include "fleet.h"

void case_idle(const struct options* options) {
  static struct totals totals;
  struct fleet fleet;
  report_ready(options->wait);
  fleet_open(&fleet, options, false);
  struct source source = source_echo(options->message_bytes);
  fleet_run(&fleet, &source, 0, 1, &totals);
  report_held(fleet.size, totals.bytes / 2);
}

/// Sends what the kernel takes now, up to the most that one connection sends. How much that was.
static size_t stuff(struct stream* stream, const struct source* source, size_t sent, size_t most) {
  size_t before = sent;
  while (sent < most) {
    struct exchange exchange = source->exchange(source, stream->index, sent / source->message_bytes);
    size_t offset = sent % source->message_bytes;
    size_t size = exchange.request_bytes - offset;
    if (size > most - sent) size = most - sent;
    ssize_t taken = connection_send(&stream->connection, exchange.request + offset, size);
    if (taken == IO_AGAIN) return sent - before;
    if (taken == IO_FAILED) {
      fail(EXIT_MEASURED_NOTHING, "connection %u: %s after %zu bytes", stream->index, stream->connection.failure, sent);
    }
    sent += (size_t)taken;
  }
  stream->connection.blocked = false;
  return sent - before;
}

/// Only EPOLLOUT: what the server sends stays where it is.
static void watch_writable(const struct fleet* fleet, struct stream* stream) {
  struct epoll_event event = {.events = stream->connection.blocked ? EPOLLOUT : 0, .data.ptr = stream};
  epoll_ctl(fleet->target.poll, EPOLL_CTL_MOD, stream->connection.fd, &event);
}

void case_never_read(const struct options* options) {
  struct fleet fleet;
  report_ready(options->wait);
  fleet_open(&fleet, options, true);
  struct source source = source_echo(64 << 10);
  size_t* sent = allocate(fleet.size, sizeof *sent);
  uint64_t total = 0;
  for (unsigned index = 0; index < fleet.size; index++) {
    fleet.streams[index].connection.blocked = true;
    watch_writable(&fleet, &fleet.streams[index]);
  }
  struct epoll_event events[FLEET_EVENTS];
  for (int count = 1; count > 0;) {
    count = wait_events(fleet.target.poll, events, FLEET_EVENTS, options->settle_ns);
    for (int index = 0; index < count; index++) {
      struct stream* stream = events[index].data.ptr;
      size_t more = stuff(stream, &source, sent[stream->index], options->send_bytes_max);
      if (more == 0 && (events[index].events & (EPOLLERR | EPOLLHUP))) {
        fail(EXIT_MEASURED_NOTHING, "connection %u: closed by the server after %zu bytes", stream->index,
             sent[stream->index]);
      }
      sent[stream->index] += more;
      total += more;
      watch_writable(&fleet, stream);
    }
  }
  report_held(fleet.size, total);
}
