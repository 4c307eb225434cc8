#include "fleet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fail.h"

/// One phase of load.
struct phase {
  struct fleet* fleet;
  const struct source* source;
  struct histogram* latency;
  uint64_t start_ns;
  uint64_t until_ns;     // nothing begins later; 0: `count` decides
  uint64_t count;        // per stream
  uint64_t step_ns;      // with a pace: from one stream's turn to the next one's; 0: no pace
  uint64_t turns;        // with a pace: how many streams have had their turn
  uint64_t outstanding;  // exchanges begun and not answered
};

int wait_events(int poll, struct epoll_event* events, int max, uint64_t timeout_ns) {
  struct timespec timeout = {(time_t)(timeout_ns / NS_PER_S), (long)(timeout_ns % NS_PER_S)};
  int count = epoll_pwait2(poll, events, max, &timeout, NULL);
  if (count < 0 && errno != EINTR) fail(EXIT_MEASURED_NOTHING, "epoll_pwait2: %s", strerror(errno));
  return count < 0 ? 0 : count;
}

__attribute__((noreturn)) static void fail_stream(const struct stream* stream, enum stream_outcome outcome) {
  fail(EXIT_MEASURED_NOTHING, "connection %u: %s after %llu answers", stream->index,
       outcome == STREAM_ENDED ? "closed by the server" : stream->connection.failure,
       (unsigned long long)stream->answered);
}

static void receive(struct stream* stream, struct histogram* latency) {
  enum stream_outcome outcome = stream_receive(stream, latency);
  if (outcome != STREAM_OPEN) fail_stream(stream, outcome);
}

/// True when this event made the stream ready.
static bool establish(struct stream* stream) {
  if (stream->connection.ready) {
    receive(stream, NULL);  // a session ticket, nothing else
    return false;
  }
  int answer = connection_establish(&stream->connection);
  if (answer == IO_FAILED) fail_stream(stream, STREAM_FAILED);
  return answer == 1;
}

void fleet_open(struct fleet* fleet, const struct options* options, bool narrow) {
  *fleet = (struct fleet){
      .options = options,
      .target = target_make(options->host, options->port, options->tls),
      .size = options->connections,
      .streams = allocate(options->connections, sizeof(struct stream)),
  };
  fleet->target.narrow = narrow;
  unsigned opened = 0;
  unsigned ready = 0;
  while (ready < fleet->size) {
    for (; opened < fleet->size && opened - ready < CONNECTING_MAX; opened++) {
      struct stream* stream = &fleet->streams[opened];
      stream->index = opened;
      if (!connection_open(&stream->connection, &fleet->target, opened, stream)) fail_stream(stream, STREAM_FAILED);
    }
    struct epoll_event events[FLEET_EVENTS];
    int count = wait_events(fleet->target.poll, events, FLEET_EVENTS, options->stall_ns);
    if (count == 0) fail(EXIT_MEASURED_NOTHING, "the server let %u connections wait", opened - ready);
    for (int index = 0; index < count; index++) {
      struct stream* stream = events[index].data.ptr;
      ready += establish(stream);
      connection_watch(&stream->connection, &fleet->target, stream);
    }
  }
}

/// Whether the stream may begin one more exchange now, and since when it might have.
static bool may_begin(const struct phase* phase, const struct stream* stream, uint64_t now, uint64_t* started_ns) {
  if (stream->begun - stream->answered >= phase->fleet->options->depth) return false;
  if (phase->count > 0 && stream->begun >= phase->count) return false;
  *started_ns = now;
  if (phase->step_ns > 0) {
    *started_ns = phase->start_ns + (stream->begun * phase->fleet->size + stream->index) * phase->step_ns;
    if (*started_ns > now) return false;
  }
  return phase->until_ns == 0 || *started_ns < phase->until_ns;
}

static void go_on(struct phase* phase, struct stream* stream) {
  uint64_t now = now_ns();
  uint64_t started_ns;
  while (may_begin(phase, stream, now, &started_ns)) {
    stream_begin(stream, started_ns);
    phase->outstanding += 1;
  }
  if (!stream_send(stream)) fail_stream(stream, STREAM_FAILED);
  connection_watch(&stream->connection, &phase->fleet->target, stream);
}

/// With a pace: gives each stream whose turn has come its turn. How long until the next one's.
static uint64_t take_turns(struct phase* phase) {
  while (true) {
    uint64_t due = phase->start_ns + phase->turns * phase->step_ns;
    uint64_t now = now_ns();
    if (due > now) return due - now;
    go_on(phase, &phase->fleet->streams[phase->turns % phase->fleet->size]);
    phase->turns += 1;
  }
}

/// Whether answers are missing, or requests are still to begin. A turn that is late is taken all the same.
static bool goes_on(const struct phase* phase) {
  uint64_t next = phase->step_ns > 0 ? phase->start_ns + phase->turns * phase->step_ns : now_ns();
  return phase->outstanding > 0 || next < phase->until_ns;
}

static void run_until_answered(struct phase* phase) {
  struct fleet* fleet = phase->fleet;
  uint64_t stall_ns = fleet->options->stall_ns;
  while (goes_on(phase)) {
    uint64_t timeout = phase->step_ns > 0 ? take_turns(phase) : stall_ns;
    struct epoll_event events[FLEET_EVENTS];
    int count = wait_events(fleet->target.poll, events, FLEET_EVENTS, timeout);
    if (count == 0 && timeout == stall_ns) {
      fail(EXIT_MEASURED_NOTHING, "no answer for %llu ms; %llu are missing", (unsigned long long)(stall_ns / NS_PER_MS),
           (unsigned long long)phase->outstanding);
    }
    for (int index = 0; index < count; index++) {
      struct stream* stream = events[index].data.ptr;
      uint64_t answered = stream->answered;
      if (events[index].events & ~(uint32_t)EPOLLOUT) receive(stream, phase->latency);
      phase->outstanding -= stream->answered - answered;
      go_on(phase, stream);
    }
  }
}

static uint64_t bytes_moved(const struct fleet* fleet, const struct source* source) {
  uint64_t bytes = 0;
  for (unsigned index = 0; index < fleet->size; index++) {
    const struct stream* stream = &fleet->streams[index];
    for (uint64_t done = 0; done < stream->answered; done++) {
      struct exchange exchange = source->exchange(source, index, done);
      bytes += exchange.request_bytes + exchange.answer_bytes;
    }
  }
  return bytes;
}

void fleet_run(struct fleet* fleet, const struct source* source, uint64_t duration_ns, uint64_t count,
               struct totals* totals) {
  *totals = (struct totals){0};
  uint64_t start_ns = now_ns();
  uint64_t cpu_ns = own_cpu_ns();
  struct phase phase = {
      .fleet = fleet,
      .source = source,
      .latency = &totals->latency,
      .start_ns = start_ns,
      .until_ns = count > 0 ? 0 : start_ns + duration_ns,
      .count = count,
      .step_ns = fleet->options->pace_ns / fleet->size,
  };
  for (unsigned index = 0; index < fleet->size; index++) stream_reset(&fleet->streams[index], source);
  for (unsigned index = 0; index < fleet->size; index++) go_on(&phase, &fleet->streams[index]);
  run_until_answered(&phase);
  totals->ns = now_ns() - start_ns;
  totals->cpu_ns = own_cpu_ns() - cpu_ns;
  totals->requests = totals->latency.count;
  totals->bytes = bytes_moved(fleet, source);
}
