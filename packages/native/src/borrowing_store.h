// A bounded BIO without buffers of its own, as long as the caller has room: OpenSSL reads its input where the caller
// has it, and writes its output where the caller wants it. Only output without room is kept, up to the bound, until
// there is room again; so an idle connection holds nothing, and no byte is copied on the way.
#ifndef SLUICE_BORROWING_STORE_H_
#define SLUICE_BORROWING_STORE_H_

#include <memory>
#include <vector>

#include "cipher_store.h"

namespace sluice {

using BioMethodOwned = std::shared_ptr<BIO_METHOD>;

class BorrowingStore : public CipherStore {
 public:
  // One per environment, for all stores; nullptr when OpenSSL could not.
  static BioMethodOwned MakeMethod();
  explicit BorrowingStore(BioMethodOwned method) : method_(std::move(method)) {}

  BIO* Open(size_t bytes_max) override;
  void Before(Region* input, Region* output) override;
  void After(Region* input, Region* output) override;
  size_t pending_out() const override { return kept() + written_; }
  size_t pending_in() const override { return 0; }
  size_t room_in() const override { return bytes_max_; }
  bool EndInput() override;

 private:
  static int Read(BIO* bio, char* to, size_t wanted, size_t* count);
  static int Write(BIO* bio, const char* from, size_t offered, size_t* count);
  static long Control(BIO* bio, int command, long number, void* pointer);
  size_t Take(uint8_t* to, size_t wanted);
  size_t Put(const uint8_t* from, size_t offered);
  void Keep(const uint8_t* from, size_t count);
  size_t kept() const { return kept_.size() - kept_start_; }

  // Also held by the BIO, which may outlive the environment's reference.
  BioMethodOwned method_;
  size_t bytes_max_ = 0;
  bool input_ended_ = false;
  // The rest of this call's share of the input, and how much of it was taken. Empty between calls.
  Region input_;
  size_t taken_ = 0;
  // The caller's room during a call, and what the call wrote there.
  Region* output_ = nullptr;
  size_t written_ = 0;
  // Output that found no room: [kept_start_, size). At most twice the bound, with what has gone out before it.
  std::vector<uint8_t> kept_;
  size_t kept_start_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_BORROWING_STORE_H_
