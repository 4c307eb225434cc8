// echo and kv: requests and answers over connections that stay.
#include "cases.h"
#include "fleet.h"

void case_exchange(const struct options* options) {
  static struct totals totals;
  struct fleet fleet;
  fleet_open(&fleet, options, false);
  struct source source = source_echo(options->message_bytes);
  if (options->load_case == CASE_KV) {
    source = source_kv(options->keys, options->message_bytes, options->set_percent, fleet.size);
    struct source preload = source_kv_preload(&source);
    fleet_run(&fleet, &preload, 0, source_kv_preload_count(&source), &totals);
  }
  do {
    fleet_run(&fleet, &source, options->warm_ns, 0, &totals);
  } while (!report_ready(options->wait));
  fleet_run(&fleet, &source, options->measure_ns, options->count, &totals);
  report_result(&totals);
}
