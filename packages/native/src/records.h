// What the loop tells JavaScript: the numbers of binding.ts (RecordType, Counter, ListenFlag) and the queue of records
// between libuv's callbacks and the next delivery.
#ifndef SLUICE_RECORDS_H_
#define SLUICE_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace sluice {

enum class RecordType : int32_t {
  kAccept = 1,
  kRead = 2,
  kEof = 3,
  kReadError = 4,
  kConnected = 5,
  kWritten = 6,
  kShutdown = 7,
  kClosed = 8,
  kAcceptError = 9,
  kPoll = 10,
};

struct Counter {
  static constexpr size_t kDeliveries = 0;
  static constexpr size_t kRecords = 1;
  static constexpr size_t kReads = 2;
  static constexpr size_t kBytesRead = 3;
  static constexpr size_t kWrites = 4;
  static constexpr size_t kBytesWritten = 5;
  static constexpr size_t kWritesRefused = 6;
  static constexpr size_t kFlushes = 7;
  static constexpr size_t kLength = 8;
};

struct ListenFlag {
  static constexpr int32_t kIpv6Only = 1;
  static constexpr int32_t kReusePort = 2;
};

struct Record {
  RecordType type;
  int32_t id;
  int32_t a;
  int32_t b;
};

constexpr size_t kRecordLength = 4;

// A lossless queue of records whose head is JavaScript's Int32Array.
//
// While JavaScript reads the array (between Begin and End), or when the array is full, records wait behind it and move
// in at the next End. The order of appending is kept.
class RecordQueue {
 public:
  void Init(int32_t* array, size_t capacity) {
    array_ = array;
    capacity_ = capacity;
  }
  bool empty() const { return count_ == 0; }
  // No record can be appended to the array itself now.
  bool full() const { return busy_ || count_ == capacity_; }

  void Append(const Record& record) {
    if (full()) {
      late_.push_back(record);
    } else {
      Store(record);
    }
  }

  // The count of records that JavaScript is about to read.
  size_t Begin() {
    busy_ = true;
    return count_;
  }

  // JavaScript has read them. Hands out the ids that `closed` records among them set free.
  void End(std::vector<int32_t>* freed) {
    busy_ = false;
    count_ = 0;
    freed->swap(closed_);
    closed_.clear();
    while (!late_.empty() && count_ < capacity_) {
      Store(late_.front());
      late_.pop_front();
    }
  }

  void Clear() {
    busy_ = false;
    count_ = 0;
    closed_.clear();
    late_.clear();
  }

 private:
  void Store(const Record& record) {
    int32_t* slot = array_ + count_ * kRecordLength;
    slot[0] = static_cast<int32_t>(record.type);
    slot[1] = record.id;
    slot[2] = record.a;
    slot[3] = record.b;
    count_++;
    // Remembered here, because JavaScript may write to the array.
    if (record.type == RecordType::kClosed) closed_.push_back(record.id);
  }

  int32_t* array_ = nullptr;
  size_t capacity_ = 0;
  size_t count_ = 0;
  bool busy_ = false;
  std::vector<int32_t> closed_;
  std::deque<Record> late_;
};

}  // namespace sluice

#endif  // SLUICE_RECORDS_H_
