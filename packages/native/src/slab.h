// The memory that one turn's reads go to: handed out from its start to its end, and taken back as a whole.
#ifndef SLUICE_SLAB_H_
#define SLUICE_SLAB_H_

#include <uv.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "napi.h"

namespace sluice {

class Slab {
 public:
  // What one read may take at most, so that one busy connection cannot fill the slab alone.
  static constexpr size_t kReadBytesMax = 64 * 1024;
  // With less than this left a read would be cut small; the slab is delivered instead.
  static constexpr size_t kReadBytesMin = 4 * 1024;
  static constexpr size_t kBytesMin = 64;

  void Init(Bytes bytes) { bytes_ = bytes; }
  Bytes bytes() const { return bytes_; }

  uv_buf_t Next() const {
    size_t length = std::min(bytes_.length - used_, kReadBytesMax);
    return uv_buf_init(reinterpret_cast<char*>(bytes_.data + used_), static_cast<unsigned int>(length));
  }
  // Takes the first `length` bytes of what Next handed out; returns their offset in the slab.
  size_t Take(size_t length) {
    size_t offset = used_;
    used_ = std::min(bytes_.length, (used_ + length + 7) & ~size_t{7});
    return offset;
  }
  bool low() const { return bytes_.length - used_ < std::min(kReadBytesMin, bytes_.length); }
  void Reset() { used_ = 0; }

 private:
  Bytes bytes_;
  size_t used_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_SLAB_H_
