// The cases; each runs whole and prints its results.
#pragma once

#include "options.h"

void case_exchange(const struct options* options);
void case_connect(const struct options* options);
void case_idle(const struct options* options);
void case_never_read(const struct options* options);
