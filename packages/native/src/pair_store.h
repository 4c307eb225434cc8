// OpenSSL's own BIO pair: two rings of the bound's size, allocated with the connection.
#ifndef SLUICE_PAIR_STORE_H_
#define SLUICE_PAIR_STORE_H_

#include "cipher_store.h"

namespace sluice {

class PairStore : public CipherStore {
 public:
  BIO* Open(size_t bytes_max) override;
  void Before(Region* input, Region* output) override;
  void After(Region* input, Region* output) override;
  size_t pending_out() const override;
  size_t pending_in() const override;
  size_t room_in() const override;
  bool EndInput() override;

 private:
  // The half that faces the network; the SSL object owns the other.
  BioOwned network_;
};

}  // namespace sluice

#endif  // SLUICE_PAIR_STORE_H_
