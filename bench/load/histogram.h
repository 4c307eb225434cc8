// A histogram of times with a relative error below 1 %, whatever their size: 128 steps in each power of two.
#pragma once

#include <stdint.h>

enum { HISTOGRAM_STEPS = 128, HISTOGRAM_BUCKETS = 58 * HISTOGRAM_STEPS };

struct histogram {
  uint64_t count;
  uint64_t max;
  double sum;
  uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram* histogram, uint64_t value);

/// The smallest value that `fraction` (0 to 1) of all recorded ones do not exceed, to within the relative error. 0 when
/// empty.
uint64_t histogram_quantile(const struct histogram* histogram, double fraction);

double histogram_mean(const struct histogram* histogram);
