#include "borrowing_store.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace sluice {

BioMethodOwned BorrowingStore::MakeMethod() {
  const int type = BIO_get_new_index();
  if (type == -1) return nullptr;
  BioMethodOwned method(BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "sluice"), BIO_meth_free);
  if (method == nullptr || BIO_meth_set_read_ex(method.get(), Read) != 1 ||
      BIO_meth_set_write_ex(method.get(), Write) != 1 || BIO_meth_set_ctrl(method.get(), Control) != 1) {
    return nullptr;
  }
  return method;
}

BIO* BorrowingStore::Open(size_t bytes_max) {
  BIO* bio = BIO_new(method_.get());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  bytes_max_ = bytes_max;
  return bio;
}

void BorrowingStore::Before(Region* input, Region* output) {
  input_ = {input->data, std::min(input->length, bytes_max_)};
  taken_ = 0;
  output_ = output;
  written_ = 0;
}

void BorrowingStore::After(Region* input, Region* output) {
  input->Skip(taken_);
  input_ = {};
  output_ = nullptr;
  written_ = 0;
  const size_t count = std::min(kept(), output->length);
  if (count == 0) return;
  std::memcpy(output->data, kept_.data() + kept_start_, count);
  output->Skip(count);
  kept_start_ += count;
  if (kept() > 0) return;
  // Its memory, too: clear() and `= {}` would keep that.
  std::vector<uint8_t>().swap(kept_);
  kept_start_ = 0;
}

bool BorrowingStore::EndInput() {
  input_ended_ = true;
  return true;
}

size_t BorrowingStore::Take(uint8_t* to, size_t wanted) {
  const size_t count = std::min(wanted, input_.length);
  if (count > 0) std::memcpy(to, input_.data, count);
  input_.Skip(count);
  taken_ += count;
  return count;
}

// What was kept goes first, so nothing is put behind it in the caller's room.
size_t BorrowingStore::Put(const uint8_t* from, size_t offered) {
  const size_t count = std::min(offered, bytes_max_ - pending_out());
  const size_t direct = output_ == nullptr || kept() > 0 ? 0 : std::min(count, output_->length);
  if (direct > 0) {
    std::memcpy(output_->data, from, direct);
    output_->Skip(direct);
    written_ += direct;
  }
  if (count > direct) Keep(from + direct, count - direct);
  return count;
}

// What has gone out is cut off before it outweighs what is still to go, so that no more than twice the bound is held
// however little the caller takes at a time; and each byte is moved once at most for it, on average.
void BorrowingStore::Keep(const uint8_t* from, size_t count) {
  if (kept_start_ > 0 && kept_start_ >= kept()) {
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(kept_start_));
    kept_start_ = 0;
  }
  const size_t needed = kept_.size() + count;
  if (needed > kept_.capacity()) kept_.reserve(std::max(needed, std::min(2 * needed, 2 * bytes_max_)));
  kept_.insert(kept_.end(), from, from + count);
}

int BorrowingStore::Read(BIO* bio, char* to, size_t wanted, size_t* count) {
  auto* self = static_cast<BorrowingStore*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *count = self->Take(reinterpret_cast<uint8_t*>(to), wanted);
  if (*count > 0) return 1;
  if (!self->input_ended_) BIO_set_retry_read(bio);
  return 0;
}

int BorrowingStore::Write(BIO* bio, const char* from, size_t offered, size_t* count) {
  auto* self = static_cast<BorrowingStore*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *count = self->Put(reinterpret_cast<const uint8_t*>(from), offered);
  if (*count > 0 || offered == 0) return 1;
  BIO_set_retry_write(bio);
  return 0;
}

long BorrowingStore::Control(BIO* bio, int command, long, void*) {
  auto* self = static_cast<BorrowingStore*>(BIO_get_data(bio));
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_PENDING:
      return static_cast<long>(self->input_.length);
    case BIO_CTRL_WPENDING:
      return static_cast<long>(self->pending_out());
    case BIO_CTRL_EOF:
      return self->input_ended_ && self->input_.length == 0 ? 1 : 0;
    default:
      return 0;
  }
}

}  // namespace sluice
