// Where ciphertext waits between an SSL object and whoever moves it: a bounded number of bytes in each direction.
#ifndef SLUICE_CIPHER_STORE_H_
#define SLUICE_CIPHER_STORE_H_

#include <cstddef>
#include <cstdint>

#include "openssl_owned.h"

namespace sluice {

// What is left of a caller's buffer: bytes to take from, or room to fill.
struct Region {
  uint8_t* data = nullptr;
  size_t length = 0;
  void Skip(size_t count) {
    data += count;
    length -= count;
  }
};

// The two behave alike towards OpenSSL: within one call it is given at most the bound's bytes of input, and its output
// is refused (retry) when as much as the bound waits.
class CipherStore {
 public:
  virtual ~CipherStore() = default;
  // Makes the BIO for SSL_set_bio, which takes it over; nullptr when OpenSSL could not.
  virtual BIO* Open(size_t bytes_max) = 0;
  // Before a call of OpenSSL's: what it may take and fill. Both regions must last until After.
  virtual void Before(Region* input, Region* output) = 0;
  // Right after a call: moves on past what was taken, and moves out what waits.
  virtual void After(Region* input, Region* output) = 0;
  // Output that waits. Between Before and After, all that the call made counts as waiting.
  virtual size_t pending_out() const = 0;
  // Input that was taken from the caller and not by OpenSSL yet, and how much more can be taken.
  virtual size_t pending_in() const = 0;
  virtual size_t room_in() const = 0;
  // No input follows what was given.
  virtual bool EndInput() = 0;
};

}  // namespace sluice

#endif  // SLUICE_CIPHER_STORE_H_
