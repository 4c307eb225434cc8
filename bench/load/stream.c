#include "stream.h"

#include <string.h>

#include "clock.h"
#include "fail.h"

enum { RECEIVE_BYTES = 256 << 10, GATHER_BYTES = 16 << 10, SEND_BYTES_MAX = 256 << 10 };

void stream_reset(struct stream* stream, const struct source* source) {
  stream->source = source;
  stream->begun = stream->sent = stream->answered = 0;
  stream->request_offset = stream->answer_offset = 0;
}

void stream_begin(struct stream* stream, uint64_t started_ns) {
  stream->started_ns[stream->begun % DEPTH_MAX] = started_ns;
  stream->begun += 1;
}

/// The bytes to send next: a large request's own, or several small ones side by side in `room`.
static size_t gather(const struct stream* stream, char* room, const char** bytes) {
  struct exchange exchange = stream->source->exchange(stream->source, stream->index, stream->sent);
  size_t left = exchange.request_bytes - stream->request_offset;
  *bytes = exchange.request + stream->request_offset;
  if (left >= GATHER_BYTES || stream->begun - stream->sent == 1) return left < SEND_BYTES_MAX ? left : SEND_BYTES_MAX;
  size_t gathered = left;
  memcpy(room, *bytes, left);
  for (uint64_t index = stream->sent + 1; index < stream->begun; index++) {
    exchange = stream->source->exchange(stream->source, stream->index, index);
    if (exchange.request_bytes > GATHER_BYTES - gathered) break;
    memcpy(room + gathered, exchange.request, exchange.request_bytes);
    gathered += exchange.request_bytes;
  }
  *bytes = room;
  return gathered;
}

static void advance_sent(struct stream* stream, size_t bytes) {
  bytes += stream->request_offset;
  while (stream->sent < stream->begun) {
    struct exchange exchange = stream->source->exchange(stream->source, stream->index, stream->sent);
    if (bytes < exchange.request_bytes) break;
    bytes -= exchange.request_bytes;
    stream->sent += 1;
  }
  stream->request_offset = bytes;
}

bool stream_send(struct stream* stream) {
  static char room[GATHER_BYTES];
  while (stream->sent < stream->begun) {
    const char* bytes;
    size_t size = gather(stream, room, &bytes);
    ssize_t sent = connection_send(&stream->connection, bytes, size);
    if (sent == IO_FAILED) return false;
    if (sent == IO_AGAIN) return true;
    advance_sent(stream, (size_t)sent);
  }
  return true;
}

__attribute__((noreturn)) static void fail_corrupt(const struct stream* stream, const char* got, const char* wanted) {
  size_t at = 0;
  while (got[at] == wanted[at]) at++;
  fail(EXIT_MEASURED_NOTHING, "connection %u: byte %zu of answer %llu is 0x%02x, not 0x%02x", stream->index,
       stream->answer_offset + at, (unsigned long long)stream->answered, (unsigned char)got[at],
       (unsigned char)wanted[at]);
}

static void compare(struct stream* stream, const char* bytes, size_t size, struct histogram* latency) {
  uint64_t now = now_ns();
  while (size > 0) {
    if (stream->answered == stream->begun) {
      fail(EXIT_MEASURED_NOTHING, "connection %u: %zu bytes came that nobody asked for", stream->index, size);
    }
    struct exchange exchange = stream->source->exchange(stream->source, stream->index, stream->answered);
    size_t left = exchange.answer_bytes - stream->answer_offset;
    size_t part = left < size ? left : size;
    const char* wanted = exchange.answer + stream->answer_offset;
    if (memcmp(bytes, wanted, part) != 0) fail_corrupt(stream, bytes, wanted);
    bytes += part;
    size -= part;
    stream->answer_offset += part;
    if (part < left) return;
    if (latency != NULL) histogram_record(latency, now - stream->started_ns[stream->answered % DEPTH_MAX]);
    stream->answer_offset = 0;
    stream->answered += 1;
  }
}

enum stream_outcome stream_receive(struct stream* stream, struct histogram* latency) {
  static char room[RECEIVE_BYTES];
  while (true) {
    ssize_t got = connection_receive(&stream->connection, room, sizeof room);
    if (got == IO_AGAIN) return STREAM_OPEN;
    if (got == IO_END) return STREAM_ENDED;
    if (got == IO_FAILED) return STREAM_FAILED;
    compare(stream, room, (size_t)got, latency);
    // A short read emptied the socket; OpenSSL may hold more than one record, and says so only when asked again.
    if (stream->connection.ssl == NULL && (size_t)got < sizeof room) return STREAM_OPEN;
  }
}
