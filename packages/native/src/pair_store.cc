#include "pair_store.h"

#include <algorithm>
#include <climits>

namespace sluice {
namespace {

// BIO functions count in int.
int Clamp(size_t count) { return static_cast<int>(std::min<size_t>(count, INT_MAX)); }

}  // namespace

BIO* PairStore::Open(size_t bytes_max) {
  BIO* application = nullptr;
  BIO* network = nullptr;
  if (BIO_new_bio_pair(&application, bytes_max, &network, bytes_max) != 1) return nullptr;
  network_.reset(network);
  return application;
}

// Both loops end: each round either moves bytes or leaves.

void PairStore::Before(Region* input, Region*) {
  while (input->length > 0) {
    const size_t room = BIO_ctrl_get_write_guarantee(network_.get());
    const int count = room == 0 ? 0 : BIO_write(network_.get(), input->data, Clamp(std::min(room, input->length)));
    if (count <= 0) return;
    input->Skip(static_cast<size_t>(count));
  }
}

void PairStore::After(Region*, Region* output) {
  while (output->length > 0 && BIO_ctrl_pending(network_.get()) > 0) {
    const int count = BIO_read(network_.get(), output->data, Clamp(output->length));
    if (count <= 0) return;
    output->Skip(static_cast<size_t>(count));
  }
}

size_t PairStore::pending_out() const { return BIO_ctrl_pending(network_.get()); }
size_t PairStore::pending_in() const { return BIO_ctrl_wpending(network_.get()); }
size_t PairStore::room_in() const { return BIO_ctrl_get_write_guarantee(network_.get()); }
bool PairStore::EndInput() { return BIO_shutdown_wr(network_.get()) == 1; }

}  // namespace sluice
