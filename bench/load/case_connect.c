// connect: connect (and shake hands), echo one message, close; over and over on a number of slots.
#include "cases.h"
#include "clock.h"
#include "fail.h"
#include "fleet.h"

/// A server that fails this often is not worth measuring.
enum { ERRORS_MAX = 100 };

struct slot {
  struct stream stream;
  bool active;
  uint64_t opened_ns;
};

struct run {
  const struct options* options;
  const struct source* source;
  struct target target;
  struct slot* slots;
  struct totals* totals;
  uint64_t until_ns;
  unsigned active;
  unsigned opened;
};

static void open_slot(struct run* run, struct slot* slot);

/// The slot's connection is over, one way or the other: counts it, and starts the next.
static void finish(struct run* run, struct slot* slot, const char* failure) {
  struct connection* connection = &slot->stream.connection;
  if (failure == NULL) {
    histogram_record(&run->totals->latency, now_ns() - slot->opened_ns);
    run->totals->requests += 1;
    run->totals->bytes += 2 * run->source->message_bytes;
    if (connection->ssl != NULL && SSL_session_reused(connection->ssl)) run->totals->resumed += 1;
  } else if (++run->totals->errors > ERRORS_MAX) {
    fail(EXIT_MEASURED_NOTHING, "%d connections failed, the last with: %s", ERRORS_MAX + 1, failure);
  }
  connection_close(connection);
  slot->active = false;
  run->active -= 1;
  open_slot(run, slot);
}

static void open_slot(struct run* run, struct slot* slot) {
  struct connection* connection = &slot->stream.connection;
  if (now_ns() >= run->until_ns) return;
  slot->active = true;
  slot->opened_ns = now_ns();
  run->active += 1;
  stream_reset(&slot->stream, run->source);
  stream_begin(&slot->stream, slot->opened_ns);
  if (!connection_open(connection, &run->target, run->opened++, slot)) {
    fail(EXIT_MEASURED_NOTHING, "%s", connection->failure);
  }
  if (run->options->resume && connection->ssl != NULL && connection->session != NULL) {
    SSL_set_session(connection->ssl, connection->session);
  }
}

/// Sends the request once the connection is ready, and the end once the answer is there.
static void step(struct run* run, struct slot* slot, uint32_t events) {
  struct stream* stream = &slot->stream;
  struct connection* connection = &stream->connection;
  if (!connection->ready) {
    int answer = connection_establish(connection);
    if (answer == IO_FAILED) return finish(run, slot, connection->failure);
    if (answer == 1 && !stream_send(stream)) return finish(run, slot, connection->failure);
  } else {
    bool answered = stream->answered > 0;
    if (events & ~(uint32_t)EPOLLOUT) {
      enum stream_outcome outcome = stream_receive(stream, NULL);
      if (outcome == STREAM_FAILED) return finish(run, slot, connection->failure);
      if (outcome == STREAM_ENDED) return finish(run, slot, stream->answered > 0 ? NULL : "closed before the answer");
    }
    if (!stream_send(stream)) return finish(run, slot, connection->failure);
    if (!answered && stream->answered > 0) connection_end(connection);
  }
  connection_watch(connection, &run->target, slot);
}

static void run_for(struct run* run, uint64_t duration_ns, struct totals* totals) {
  *totals = (struct totals){0};
  uint64_t start_ns = now_ns();
  uint64_t cpu_ns = own_cpu_ns();
  run->totals = totals;
  run->until_ns = start_ns + duration_ns;
  for (unsigned index = 0; index < run->options->connections; index++) open_slot(run, &run->slots[index]);
  while (run->active > 0) {
    struct epoll_event events[FLEET_EVENTS];
    int count = wait_events(run->target.poll, events, FLEET_EVENTS, run->options->stall_ns);
    if (count == 0) fail(EXIT_MEASURED_NOTHING, "the server let %u connections wait", run->active);
    for (int index = 0; index < count; index++) step(run, events[index].data.ptr, events[index].events);
  }
  totals->ns = now_ns() - start_ns;
  totals->cpu_ns = own_cpu_ns() - cpu_ns;
}

void case_connect(const struct options* options) {
  static struct totals totals;
  struct source source = source_echo(options->message_bytes);
  struct run run = {
      .options = options,
      .source = &source,
      .target = target_make(options->host, options->port, options->tls),
      .slots = allocate(options->connections, sizeof(struct slot)),
  };
  for (unsigned index = 0; index < options->connections; index++) {
    run.slots[index].stream.index = index;
    run.slots[index].stream.connection.fd = -1;
  }
  do {
    run_for(&run, options->warm_ns, &totals);
  } while (!report_ready(options->wait));
  run_for(&run, options->measure_ns, &totals);
  report_result(&totals);
}
