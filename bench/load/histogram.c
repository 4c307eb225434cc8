#include "histogram.h"

enum { STEP_BITS = 7 };

static unsigned bucket_of(uint64_t value) {
  if (value < HISTOGRAM_STEPS) return (unsigned)value;
  unsigned power = 63u - (unsigned)__builtin_clzll(value) - STEP_BITS;
  return power * HISTOGRAM_STEPS + (unsigned)(value >> power);
}

/// The middle of the bucket's range.
static uint64_t value_of(unsigned bucket) {
  if (bucket < 2 * HISTOGRAM_STEPS) return bucket;
  unsigned power = bucket / HISTOGRAM_STEPS - 1;
  uint64_t low = (uint64_t)(bucket - power * HISTOGRAM_STEPS) << power;
  return low + (1ull << power) / 2;
}

void histogram_record(struct histogram* histogram, uint64_t value) {
  histogram->count += 1;
  histogram->sum += (double)value;
  if (value > histogram->max) histogram->max = value;
  histogram->buckets[bucket_of(value)] += 1;
}

uint64_t histogram_quantile(const struct histogram* histogram, double fraction) {
  uint64_t wanted = (uint64_t)((double)histogram->count * fraction + 0.5);
  if (wanted == 0) wanted = 1;
  uint64_t seen = 0;
  for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += histogram->buckets[bucket];
    if (seen < wanted) continue;
    uint64_t value = value_of(bucket);
    return value < histogram->max ? value : histogram->max;
  }
  return histogram->max;
}

double histogram_mean(const struct histogram* histogram) {
  return histogram->count == 0 ? 0 : histogram->sum / (double)histogram->count;
}
