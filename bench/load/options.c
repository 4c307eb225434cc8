#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fail.h"

static const char usage[] =
    "usage: load CASE --port N [options]\n"
    "\n"
    "  echo         requests and answers over connections that stay\n"
    "  connect      connect, echo one message, close; over and over\n"
    "  idle         one echo on each connection, then nothing\n"
    "  never-read   send on each connection until the server stops reading; read nothing\n"
    "  kv           get and set in memcached's ASCII protocol\n"
    "\n"
    "  --host ADDRESS        numeric IPv4 address (127.0.0.1)\n"
    "  --connections N       (1)\n"
    "  --bytes N             of one message, or of one value (64)\n"
    "  --depth N             requests in flight on one connection (1)\n"
    "  --pace-us N           one request per connection in this time (0: as fast as answers come)\n"
    "  --seconds N           how long to measure (1)\n"
    "  --warm-seconds N      load before measuring (0.2)\n"
    "  --count N             requests per connection, instead of --seconds\n"
    "  --tls                 TLS 1.3\n"
    "  --resume              with --tls and connect: resume a session each time\n"
    "  --keys N              kv: how many (10000)\n"
    "  --set-percent N       kv: how many of a hundred requests are set (10)\n"
    "  --send-bytes-max N    never-read: on one connection (1048576)\n"
    "  --settle-ms N         never-read: nothing moved for so long: it is full (300)\n"
    "  --stall-ms N          no answer for so long: the server is stuck (10000)\n"
    "  --wait                print {\"phase\":\"ready\"} and wait for a line on stdin before measuring;\n"
    "                        a line that begins with w: warm up once more\n"
    "\n"
    "One JSON object with the results on stdout. Exit code 1 when the server failed or answered wrongly.\n";

static double number(const char* name, const char* text, double low, double high) {
  char* end;
  errno = 0;
  double value = text == NULL ? 0 : strtod(text, &end);
  if (text == NULL || errno != 0 || end == text || *end != '\0' || !(value >= low && value <= high)) {
    fail(EXIT_USAGE, "%s needs a number from %.0f to %.0f, not %s", name, low, high, text == NULL ? "nothing" : text);
  }
  return value;
}

static enum load_case case_named(const char* name) {
  static const char* const names[] = {"echo", "connect", "idle", "never-read", "kv"};
  for (unsigned index = 0; index < sizeof names / sizeof *names; index++) {
    if (strcmp(name, names[index]) == 0) return (enum load_case)index;
  }
  fail(EXIT_USAGE, "there is no case %s; see load --help", name);
}

/// Takes one of the options without a value. False when it is none of them.
static bool take_switch(struct options* options, const char* name) {
  if (strcmp(name, "--tls") == 0) {
    options->tls = true;
  } else if (strcmp(name, "--resume") == 0) {
    options->resume = true;
  } else if (strcmp(name, "--wait") == 0) {
    options->wait = true;
  } else {
    return false;
  }
  return true;
}

static bool take_number(struct options* options, const char* name, const char* text) {
  if (strcmp(name, "--port") == 0) {
    options->port = (uint16_t)number(name, text, 1, 65535);
  } else if (strcmp(name, "--connections") == 0) {
    options->connections = (unsigned)number(name, text, 1, CONNECTIONS_MAX);
  } else if (strcmp(name, "--bytes") == 0) {
    options->message_bytes = (size_t)number(name, text, 1, MESSAGE_BYTES_MAX);
  } else if (strcmp(name, "--depth") == 0) {
    options->depth = (unsigned)number(name, text, 1, DEPTH_MAX);
  } else if (strcmp(name, "--pace-us") == 0) {
    options->pace_ns = (uint64_t)(number(name, text, 0, 6e7) * 1000);
  } else if (strcmp(name, "--seconds") == 0) {
    options->measure_ns = (uint64_t)(number(name, text, 0, 3600) * NS_PER_S);
  } else if (strcmp(name, "--warm-seconds") == 0) {
    options->warm_ns = (uint64_t)(number(name, text, 0, 3600) * NS_PER_S);
  } else if (strcmp(name, "--count") == 0) {
    options->count = (uint64_t)number(name, text, 1, 1e12);
  } else if (strcmp(name, "--keys") == 0) {
    options->keys = (unsigned)number(name, text, 1, 1e6);
  } else if (strcmp(name, "--set-percent") == 0) {
    options->set_percent = (unsigned)number(name, text, 0, 100);
  } else if (strcmp(name, "--send-bytes-max") == 0) {
    options->send_bytes_max = (size_t)number(name, text, 1, 1e10);
  } else if (strcmp(name, "--settle-ms") == 0) {
    options->settle_ns = (uint64_t)(number(name, text, 1, 60000) * NS_PER_MS);
  } else if (strcmp(name, "--stall-ms") == 0) {
    options->stall_ns = (uint64_t)(number(name, text, 1, 600000) * NS_PER_MS);
  } else {
    return false;
  }
  return true;
}

struct options options_parse(int argc, char** argv) {
  if (argc < 2) fail(EXIT_USAGE, "which case? See load --help");
  if (strcmp(argv[1], "--help") == 0) {
    fputs(usage, stdout);
    exit(0);
  }
  struct options options = {
      .load_case = case_named(argv[1]),
      .host = "127.0.0.1",
      .connections = 1,
      .message_bytes = 64,
      .depth = 1,
      .warm_ns = 200 * NS_PER_MS,
      .measure_ns = NS_PER_S,
      .keys = 10000,
      .set_percent = 10,
      .send_bytes_max = 1 << 20,
      .settle_ns = 300 * NS_PER_MS,
      .stall_ns = 10 * NS_PER_S,
  };
  for (int index = 2; index < argc; index++) {
    const char* name = argv[index];
    if (take_switch(&options, name)) continue;
    const char* value = index + 1 < argc ? argv[index + 1] : NULL;
    if (strcmp(name, "--host") == 0 && value != NULL) {
      options.host = value;
    } else if (!take_number(&options, name, value)) {
      fail(EXIT_USAGE, "there is no option %s; see load --help", name);
    }
    index += 1;
  }
  if (options.count > 0 && options.pace_ns > 0) fail(EXIT_USAGE, "--count and --pace-us exclude each other");
  if (options.port == 0) fail(EXIT_USAGE, "--port is needed");
  return options;
}
