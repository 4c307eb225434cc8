/**
 * All reasons of OpenSSL 3.5's libraries but the SSL library: numbers and texts, one `number text` to a line, by library.
 */
export const cryptoReasons: Readonly<Record<string, string>> = {
  bn: `
100 arg2 lt arg3
101 bad reciprocal
102 called with even modulus
103 div by zero
104 encoding error
105 expand on static bignum data
106 invalid length
107 not initialized
108 no inverse
109 too many temporary variables
110 input not reduced
111 not a square
112 p is not prime
113 too many iterations
114 bignum too long
115 invalid range
116 no solution
117 private key too large
118 bits too small
119 invalid shift
120 no suitable digest
121 no prime candidate
`,
  rsa: `
100 algorithm mismatch
101 bad e value
102 bad fixed header decrypt
103 bad pad byte count
104 bad signature
105 modulus too large
106 block type is not 01
107 block type is not 02
108 data greater than mod len
109 data too large
110 data too large for key size
111 data too small
112 digest too big for rsa key
113 null before block missing
114 padding check failed
115 sslv3 rollback attack
116 the asn1 object identifier is not known for this md
117 unknown algorithm type
118 unknown padding type
119 wrong signature length
120 key size too small
121 oaep decoding error
122 data too small for key size
123 d e not congruent to 1
124 dmp1 not congruent to d
125 dmq1 not congruent to d
126 iqmp not inverse of q
127 n does not equal p q
128 p not prime
129 q not prime
130 rsa operations not supported
131 invalid message length
132 data too large for modulus
133 first octet invalid
134 last octet invalid
135 salt length recovery failed
136 salt length check failed
137 invalid header
138 invalid padding
139 invalid trailer
140 no public exponent
141 invalid padding mode
142 invalid x931 digest
143 invalid digest length
144 illegal or unsupported padding mode
145 digest not allowed
146 invalid pss saltlen
147 value missing
148 operation not supported for this keytype
149 invalid pss parameters
150 invalid salt length
151 unknown mask digest
152 mgf1 digest not allowed
153 unsupported mask algorithm
154 unsupported mask parameter
155 unsupported signature type
156 invalid mgf1 md
157 invalid digest
158 digest does not match
159 pkcs decoding error
160 invalid label
161 invalid oaep parameters
162 unsupported encryption type
163 unsupported label source
164 pss saltlen too small
165 key prime num invalid
166 unknown digest
167 invalid multi prime key
168 mp coefficient not inverse of r
169 mp exponent not congruent to d
170 mp r not prime
171 invalid keypair
172 n does not equal product of primes
173 invalid key length
174 invalid modulus
175 invalid request
176 invalid strength
177 pairwise test failure
178 pub exponent out of range
179 missing private key
180 randomness source strength insufficient
181 invalid length
`,
  dh: `
100 no private value
101 bad generator
102 invalid public key
103 modulus too large
104 decode error
105 parameter encoding error
106 bn error
107 no parameters set
108 keys not set
109 bn decode error
110 invalid parameter name
111 peer key error
112 kdf parameter error
113 shared info error
114 invalid parameter nid
115 check invalid j value
116 check invalid q value
117 check p not prime
118 check p not safe prime
119 check q not prime
120 not suitable generator
121 unable to check generator
122 check pubkey invalid
123 check pubkey too large
124 check pubkey too small
125 missing pubkey
126 modulus too small
127 bad ffc parameters
128 invalid secret
129 invalid size
130 q too large
`,
  evp: `
100 bad decrypt
101 different key types
103 missing parameters
106 public key not rsa
107 unsupported cipher
108 unsupported key size
109 wrong final block length
111 input not initialized
114 decode error
118 unsupported private key algorithm
121 unknown pbe algorithm
122 cipher parameter error
123 unsupported keylength
124 unsupported key derivation function
125 unsupported prf
126 unsupported salt type
127 expecting an rsa key
128 expecting a dh key
129 expecting a dsa key
130 invalid key length
131 no cipher set
132 ctrl not implemented
133 ctrl operation not implemented
134 initialization error
135 unsupported number of rounds
138 data not multiple of block length
139 no digest set
142 expecting an ec key
143 aes key setup failed
144 method not supported
145 private key decode error
146 private key encode error
147 command not supported
148 invalid operation
149 no operation set
150 operation not supported for this keytype
151 operation not initialized
152 invalid digest
153 different parameters
154 no key set
155 buffer too small
156 unsupported algorithm
157 camellia key setup failed
158 no default digest
159 message digest is null
160 unknown cipher
161 unknown digest
162 partially overlapping buffers
163 invalid key
164 expecting a poly1305 key
165 error loading section
166 unknown bits
167 unknown max size
168 unknown security bits
169 unknown option
170 wrap mode not allowed
171 illegal scrypt parameters
172 memory limit exceeded
173 copy error
174 expecting an hmac key
175 expecting a siphash key
176 aria key setup failed
177 only oneshot supported
178 not XOF or invalid length
179 pkey application asn1 method already registered
180 key setup failed
181 pbkdf2 error
182 get raw key failed
183 too many records
184 cipher not gcm mode
185 invalid custom length
186 invalid salt length
187 parameter too large
188 final error
189 update error
190 not able to copy ctx
191 xts data unit is too large
192 xts duplicated keys
193 invalid provider functions
194 invalid iv length
195 bad key length
196 no keymgmt present
197 cannot get parameters
198 cannot set parameters
199 no keymgmt available
200 bad algorithm name
201 conflicting algorithm name
202 output would overflow
203 inaccessible key
204 inaccessible domain parameters
205 keymgmt export failure
206 no import function
207 unknown key type
208 null mac pkey ctx
209 set default property failure
210 default query parse error
211 unable to lock context
212 unable to enable locking
213 locking not supported
214 generate error
215 unable to get maximum request size
216 unable to get random strength
217 unable to set callbacks
218 invalid null algorithm
219 expecting an ecx key
220 invalid seed length
221 invalid length
222 invalid value
223 invalid secret length
224 unsupported key type
225 cache constants failed
226 operation not supported for this signature type
227 setting xof failed
228 signature type and key type incompatible
229 getting AlgorithmIdentifier not supported
230 pipeline not supported
231 too many pipes
232 provider asym cipher failure
233 provider keymgmt failure
234 provider signature failure
235 provider asym cipher not supported
236 provider keymgmt not supported
237 provider signature not supported
`,
  obj: `
101 unknown nid
102 oid exists
103 unknown object name
`,
  pem: `
100 bad base64 decode
101 bad decrypt
102 bad end line
103 bad iv chars
104 bad password read
105 not dek info
106 not encrypted
107 not proc type
108 no start line
109 problems getting password
110 unsupported public key type
111 read key
112 short header
113 unsupported cipher
114 unsupported encryption
115 error converting private key
116 bad magic number
117 bad version number
118 bio write failure
119 expecting private key blob
120 expecting public key blob
121 inconsistent header
122 keyblob header parse error
123 keyblob too short
124 pvk data too short
125 pvk too short
126 unsupported key components
127 cipher is null
128 header too long
129 missing dek iv
130 unexpected dek iv
131 expecting dss key blob
132 expecting rsa key blob
133 unsupported pvk key type
`,
  dsa: `
101 missing parameters
102 bad q value
103 modulus too large
104 decode error
105 parameter encoding error
106 invalid digest type
107 no parameters set
108 bn decode error
109 bn error
110 seed_len is less than the length of q
111 missing private key
112 invalid parameters
113 q not prime
114 bad ffc parameters
115 p not prime
116 too many retries
`,
  x509: `
100 bad x509 filetype
101 cert already in hash table
103 loading cert dir
104 loading defaults
105 no cert set for us to verify
106 should retry
107 unable to find parameters in chain
108 unable to get certs public key
109 unknown nid
110 akid mismatch
111 unsupported algorithm
112 wrong lookup type
113 invalid directory
114 can't check dh key
115 key type mismatch
116 key values mismatch
117 unknown key type
118 base64 decode error
119 invalid field name
120 unknown trust id
121 unknown purpose id
122 wrong type
123 invalid trust
124 method not supported
125 public key decode error
126 public key encode error
127 crl already delta
128 idp mismatch
129 issuer mismatch
130 no crl number
131 crl verify failure
132 newer crl not newer
133 bad selector
134 name too long
135 no certificate found
136 no certificate or crl found
137 no crl found
138 invalid attributes
139 certificate verification failed
140 duplicate attribute
141 error getting md by nid
142 error using siginf set
143 invalid distpoint
144 unknown sigid algs
145 unsupported version
147 crl signature algorithm mismatch
`,
  asn1: `
100 aux error
102 bad object header
105 bn lib
106 boolean is wrong length
107 buffer too small
108 cipher has no object identifier
109 data is wrong
110 decode error
112 encode error
114 error setting cipher params
115 expecting an integer
116 expecting an object
119 explicit length mismatch
120 explicit tag not constructed
121 field missing
122 first num too large
123 header too long
124 illegal characters
125 illegal null
126 illegal optional any
127 illegal tagged any
128 integer too large for long
129 invalid bmpstring length
130 invalid digit
131 invalid separator
133 invalid universalstring length
134 invalid utf8string
137 missing eoc
138 missing second number
139 mstring not universal
140 mstring wrong tag
141 non hex characters
142 not enough data
143 no matching choice type
144 null is wrong length
145 odd number of chars
147 second number too large
148 sequence length mismatch
149 sequence not constructed
150 short line
151 string too long
152 string too short
154 the asn1 object identifier is not known for this md
155 too long
156 type not constructed
159 unexpected eoc
160 unknown format
161 unknown message digest algorithm
162 unknown object type
163 unknown public key type
164 unsupported any defined by type
167 unsupported public key type
168 wrong tag
170 illegal options on item template
171 adding object
172 error loading section
173 error getting time
174 depth exceeded
175 illegal bitstring format
176 illegal boolean
177 illegal format
178 illegal hex
179 illegal implicit tag
180 illegal integer
181 illegal nested tagging
182 illegal null value
183 illegal object
184 illegal time value
185 integer not ascii format
186 invalid modifier
187 invalid number
188 list error
189 missing value
190 not ascii format
191 object not ascii format
192 sequence or set needs config
193 time not ascii format
194 unknown tag
195 type not primitive
196 unsupported type
197 nested asn1 string
198 digest and key type not supported
199 unknown signature algorithm
200 wrong public key type
201 nested too deep
202 streaming not supported
203 asn1 parse error
204 asn1 sig parse error
205 invalid mime type
206 mime no content type
207 mime parse error
208 mime sig parse error
209 no content type
210 no multipart body failure
211 no multipart boundary
212 no sig content type
213 sig invalid mime type
214 bmpstring is wrong length
215 universalstring is wrong length
216 invalid object encoding
217 context not initialised
218 invalid string table value
219 invalid value
220 invalid bit string bits left
221 illegal padding
222 illegal zero content
223 too large
224 too small
225 wrong integer type
226 illegal negative value
227 invalid scrypt parameters
228 unsupported cipher
229 unknown digest
230 bad template
231 length too long
232 generalizedtime is too short
233 utctime is too short
`,
  conf: `
100 missing close square bracket
101 missing equal sign
102 no close brace
103 unable to create new section
104 variable has no value
105 no conf
106 no conf or environment variable
107 no section
108 no value
109 module initialization error
110 error loading dso
111 recursive directory include
112 missing init function
113 unknown module name
114 no such file
115 list cannot be null
116 variable expansion too long
117 ssl command section empty
118 ssl command section not found
119 ssl section empty
120 ssl section not found
121 number too large
122 invalid pragma
123 mandatory braces in variable expansion
124 openssl conf references missing section
125 relative path
126 recursive section reference
`,
  crypto: `
102 illegal hex digit
103 odd number of digits
104 provider already exists
105 provider section error
106 insufficient data space
107 insufficient param size
108 insufficient secure data space
109 invalid null argument
110 invalid ossl param type
111 secure malloc failure
112 string too long
113 too many bytes
114 too many records
115 zero length number
116 too small buffer
117 bad algorithm name
118 conflicting names
119 random section error
120 unknown name in random section
121 hex string too short
122 invalid negative value
123 param cannot be represented exactly
124 param not integer type
125 param unsigned integer negative value unsupported
126 param value too large for destination
127 integer overflow
128 no space for terminating null
129 param of incompatible type
130 param unsupported floating point format
131 no params to merge
132 too many names
`,
  ec: `
100 buffer too small
101 incompatible objects
102 invalid encoding
103 invalid field
104 invalid form
106 point at infinity
107 point is not on curve
108 slot full
109 invalid compression bit
110 invalid compressed point
111 not initialized
112 invalid argument
113 undefined generator
114 unknown order
115 asn1 error
116 invalid key
117 invalid length
118 discriminant is zero
119 ec group new by name failure
120 group2pkparameters failure
121 i2d ecpkparameters failure
122 invalid group order
123 invalid private key
124 missing parameters
125 missing private key
126 not implemented
127 explicit params not supported
128 undefined order
129 unknown group
130 wrong order
131 unsupported field
132 invalid pentanomial basis
133 invalid peer key
134 passed null parameter
135 not a NIST prime
136 ladder post failure
137 invalid trinomial basis
138 invalid digest type
139 no parameters set
140 keys not set
141 invalid curve
142 decode error
143 field too large
144 bignum out of range
145 wrong curve parameters
146 coordinates out of range
147 gf2m not supported
148 kdf parameter error
149 peer key error
150 shared info error
151 invalid digest
152 operation not supported
153 ladder pre failure
154 no private value
155 point arithmetic failure
156 bad signature
157 need new setup values
158 random number generation failed
159 curve does not support signing
160 curve does not support ecdh
161 invalid output length
162 ladder step failure
163 point coordinates blind failure
164 unknown cofactor
165 cannot invert
166 failed making public key
167 missing OID
168 invalid a
169 invalid b
170 curve does not support ecdsa
171 invalid cofactor
172 invalid p
173 invalid generator
174 invalid named group conversion
175 invalid seed
176 too many retries
`,
  bio: `
100 accept error
101 bad fopen mode
102 length too long
103 connect error
104 transfer error
105 transfer timeout
106 tfo disabled
107 gethostbyname addr is not af inet
108 tfo no kernel support
109 unable to tfo
110 nbio connect error
111 local address not available
112 non-fatal or transient error
113 no port defined
117 unable to bind socket
118 unable to create socket
119 unable to listen socket
120 uninitialized
121 unsupported method
122 WSAStartup
123 in use
124 broken pipe
125 invalid argument
126 write to read only BIO
128 no such file
129 ambiguous host or service
130 malformed host or service
131 unsupported protocol family
132 getsockname error
133 getsockname truncated address
134 getting socktype
135 invalid socket
136 listen v6 only
137 unable to keepalive
138 unable to nodelay
139 unable to reuseaddr
140 unknown info type
141 addrinfo addr is not af inet
142 lookup returned nothing
143 no accept addr or service specified
144 no hostname or service specified
145 unavailable ip family
146 unsupported ip family
147 connect timeout
150 port mismatch
151 peer address not available
`,
  pkcs7: `
101 digest failure
104 operation not supported on this type
105 signature failure
106 unable to find certificate
107 unable to find mem bio
108 unable to find message digest
109 unknown digest type
110 unknown operation
111 unsupported cipher type
112 unsupported content type
113 wrong content type
114 wrong pkcs7 type
115 no recipient matches certificate
116 cipher not initialized
117 certificate verify error
118 content and data present
119 decrypt error
120 error adding recipient
121 error setting cipher
122 no content
123 no signatures on data
124 pkcs7 add signature error
127 private key does not match certificate
128 signer certificate not found
129 smime text error
142 no signers
143 invalid null pointer
144 cipher has no object identifier
145 pkcs7 datasign
147 signing ctrl failure
148 signing not supported for this key type
149 encryption ctrl failure
150 encryption not supported for this key type
151 no default digest
152 ctrl error
153 pkcs7 add signer error
154 no matching digest type found
155 invalid signed data type
`,
  x509v3: `
100 bn dec2bn error
101 bn to asn1 integer error
102 extension not found
103 extension setting not supported
104 invalid boolean string
105 invalid extension string
106 invalid name
107 invalid null argument
108 invalid empty name
109 invalid null value
110 invalid object identifier
111 unknown bit string argument
114 no public key
115 extension name error
116 extension value error
117 unsupported option
118 bad ip address
119 bad object
120 unknown option
121 no issuer certificate
122 unable to get issuer details
123 unable to get issuer keyid
124 missing value
125 no subject details
126 issuer decode error
127 no issuer details
128 error in extension
129 unknown extension
130 unknown extension name
131 error converting zone
132 user too long
133 duplicate zone id
134 invalid policy identifier
135 invalid section
136 no config database
137 expected a section name
138 invalid option
139 no policy identifier
140 invalid number
141 invalid numbers
142 need organization and numbers
143 invalid syntax
144 error creating extension
145 extension exists
146 invalid purpose
147 othername error
148 operation not defined
149 dirname error
150 section not found
151 illegal empty extension
152 incorrect policy syntax tag
153 invalid proxy policy setting
154 no proxy cert policy language defined
155 policy language already defined
156 policy path length
157 policy path length already defined
158 invalid certificate
159 policy when proxy language requires no policy
160 distpoint already set
161 invalid multiple rdns
162 invalid asnumber
163 invalid asrange
164 invalid safi
165 invalid inheritance
166 invalid ipaddress
167 unsupported type
168 negative pathlen
169 empty key usage
170 bad option
171 bad value
172 unknown value
173 purpose not unique
`,
  pkcs12: `
100 can't pack structure
101 decode error
102 encode error
103 encrypt error
104 invalid null argument
105 invalid null pkcs12 pointer
106 iv gen error
107 key gen error
108 mac absent
109 mac generation error
110 mac setup error
111 mac string set error
112 invalid type
113 mac verify failure
114 parse error
115 callback failed
116 pkcs12 cipherfinal error
118 unknown digest algorithm
119 unsupported pkcs12 mode
120 error setting encrypted data type
121 content type not data
`,
  rand: `
100 PRNG not seeded
101 Function not implemented
102 additional input too long
103 already instantiated
104 drbg not initialised
105 argument out of range
106 entropy input too long
107 error initialising drbg
108 error instantiating drbg
109 error retrieving additional input
110 error retrieving entropy
111 error retrieving nonce
112 generate error
113 internal error
114 in error state
115 not instantiated
116 personalisation string too long
117 request too large for drbg
118 reseed error
119 selftest failure
120 unsupported drbg type
121 Cannot open file
122 Not a regular file
123 Error writing file
124 entropy out of range
125 random pool overflow
126 failed to create lock
127 error entropy pool was ignored
128 no drbg implementation selected
129 drbg already initialized
130 parent locking not enabled
131 parent strength too weak
132 unsupported drbg flags
133 prediction resistance not supported
134 random pool underflow
135 too little nonce requested
136 too much nonce requested
137 invalid property query
138 unable to get parent strength
139 insufficient drbg strength
140 unable to lock parent
141 unable to get parent reseed prop counter
142 random pool is empty
143 unable to create drbg
144 unable to fetch drbg
`,
  dso: `
100 control command failed
101 filename too big
102 cleanup method function failed
103 could not load the shared library
104 a null shared library handle was used
105 the meth_data stack is corrupt
106 could not bind to the requested symbol name
107 could not unload the shared library
108 functionality not supported
109 name translation failed
110 dso already loaded
111 no filename
112 set filename failed
113 empty file structure
114 failure
115 incorrect file syntax
`,
  ocsp: `
101 certificate verify error
102 digest err
103 missing ocspsigning usage
104 not basic response
105 no certificates in chain
106 digest name err
107 digest size err
108 no response data
109 no revoked time
110 private key does not match certificate
111 response contains no revocation data
112 root ca not trusted
117 signature failure
118 signer certificate not found
119 unknown message digest
120 unknown nid
122 error in nextupdate field
123 error in thisupdate field
124 nextupdate before thisupdate
125 status expired
126 status not yet valid
127 status too old
128 request not signed
129 unsupported requestorname type
130 no signer key
`,
  store: `
100 not a certificate
101 not a crl
102 not a private key
103 not a name
104 not parameters
105 unregistered scheme
106 invalid scheme
107 ambiguous content type
108 path must be absolute
109 ui process interrupted or cancelled
110 unsupported content type
111 uri authority unsupported
112 is not a
113 error verifying pkcs12 mac
114 passphrase callback error
115 bad password read
116 loader incomplete
117 loading started
118 unsupported operation
119 search only supported for directories
120 unsupported search type
121 fingerprint size does not match digest
122 not a public key
123 no loaders found
`,
  ct: `
100 invalid log id length
101 unrecognized signature nid
102 unsupported entry type
103 unsupported version
104 sct invalid
105 sct list invalid
106 sct not set
107 sct invalid signature
108 base64 decode error
109 log conf invalid
110 log conf invalid key
111 log conf missing description
112 log conf missing key
113 log key invalid
114 sct log id mismatch
115 sct unsupported version
116 sct future timestamp
`,
  comp: `
99 zlib deflate error
100 zlib inflate error
101 zlib not supported
102 brotli decode error
103 brotli encode error
104 brotli not supported
105 zstd compress error
106 zstd decode error
107 zstd decompress error
108 zstd not supported
`,
  sm2: `
100 asn1 error
101 bad signature
102 invalid digest
103 invalid digest type
104 invalid encoding
105 invalid field
106 user id too large
107 buffer too small
108 invalid curve
109 no parameters set
110 dist id too large
111 id too large
112 id not set
113 invalid private key
`,
  property: `
100 name too long
101 not an ascii character
102 not an hexadecimal digit
103 not an identifier
104 not an octal digit
105 not a decimal digit
106 no matching string delimiter
107 no value
108 parse failed
109 string too long
110 trailing characters
`,
  provider: `
100 bad decrypt
101 key setup failed
102 cipher operation failed
103 failed to get parameter
104 failed to set parameter
105 invalid key length
106 output buffer too small
107 wrong final block length
108 invalid aad
109 invalid iv length
110 invalid tag
111 invalid custom length
112 invalid salt length
113 not xof or invalid length
114 no key set
115 invalid data
118 invalid tag length
119 tag not set
120 tag not needed
121 failed to generate key
122 invalid digest
123 invalid iteration count
125 invalid mode
126 too many records
128 missing key
129 missing message digest
130 missing pass
131 missing salt
132 missing secret
133 missing session id
134 missing type
135 missing xcghash
136 not supported
137 unsupported mac type
138 value error
139 wrong output buffer size
140 missing seed
141 bad encoding
142 bad length
144 missing cek alg
145 unsupported cek alg
147 unable to load sha256
148 xts data unit is too large
149 xts duplicated keys
150 missing mac
151 invalid mac
152 unsupported number of rounds
153 unsupported key size
154 invalid seed length
155 missing cipher
156 missing constant
157 invalid constant length
158 invalid key
159 unable to get passphrase
160 bn error
161 bad tls client version
162 failed to decrypt
164 failed during derivation
165 illegal or unsupported padding mode
166 invalid digest length
167 invalid mgf1 md
168 invalid padding mode
170 invalid x931 digest
171 key size too small
172 pss saltlen too small
173 algorithm mismatch
174 digest not allowed
175 failed to sign
176 invalid curve
177 no parameters set
178 operation not supported for this keytype
179 invalid signature size
180 failed to create lock
181 insufficient drbg strength
182 parent locking not enabled
183 xof digests not allowed
184 additional input too long
185 already instantiated
186 entropy source strength too weak
187 parent cannot supply entropy seed
188 error instantiating drbg
189 error retrieving entropy
190 error retrieving nonce
191 generate error
192 in error state
193 not instantiated
194 parent strength too weak
195 personalisation string too long
196 request too large for drbg
197 reseed error
198 invalid pubinfo
199 unable to get parent strength
200 invalid ukm length
201 unable to lock parent
202 length too large
203 mismatching domain parameters
204 unable to reseed
205 derivation function init failed
206 require ctr mode cipher
207 unable to find ciphers
208 unable to initialise ciphers
209 missing OID
210 indicator integrity failure
211 invalid config data
212 invalid state
213 missing config data
214 module integrity failure
215 self test kat failure
216 self test post failure
217 invalid output length
218 invalid digest size
219 path must be absolute
220 not a public key
221 not a private key
222 search only supported for directories
223 uri authority unsupported
224 fips module entering error state
225 fips module in error state
226 not parameters
227 fips module conditional error
228 parent cannot generate random numbers
229 seed sources must not have a parent
230 invalid input length
231 invalid aead
232 invalid kdf
233 ems not enabled
234 invalid thread pool size
235 invalid memory size
236 cofactor required
237 final call out of order
238 init call out of order
239 oneshot call out of order
240 update call out of order
241 invalid prehashed digest length
242 no instance allowed
243 invalid eddsa instance for attempted operation
244 entropy source failed continuous tests
245 ml dsa no format
246 ml kem no format
247 null length pointer
248 null output buffer
249 unexpected key parameters
250 unsupported selection
251 wrong ciphertext size
253 fips module import pct error
`,
  decoder: `
`,
  engine: `
100 already loaded
101 unimplemented public key method
102 engine configuration error
103 conflicting engine id
104 DSO failure
105 engine is not in the list
106 finish failed
108 'id' or 'name' missing
109 init failed
110 internal list error
112 not loaded
116 no such engine
117 not initialised
119 ctrl command not implemented
120 no control function
125 no load function
128 failed loading private key
129 failed loading public key
130 no reference
132 dso not found
133 argument is not a number
134 cmd not executable
135 command takes input
136 command takes no input
137 invalid cmd name
138 invalid cmd number
143 invalid argument
144 no index
145 version incompatibility
146 unimplemented cipher
147 unimplemented digest
148 engines section error
149 engine section error
150 invalid string
151 invalid init value
`,
  ui: `
100 result too large
101 result too small
102 index too large
103 index too small
104 common ok and cancel characters
105 no result buffer
106 unknown control command
107 processing error
108 unknown ttyget errno value
109 sys$assign error
110 sys$dassgn error
111 sys$qiow error
112 user data duplication unsupported
`,
  cms: `
99 add signer error
100 certificate verify error
101 cipher initialisation error
102 cipher parameter initialisation error
103 cms datafinal error
104 cms lib
105 content not found
106 content type not compressed data
107 content type not enveloped data
108 content type not signed data
109 content verify error
110 ctrl error
111 ctrl failure
112 decrypt error
113 error getting public key
114 error reading messagedigest attribute
115 error setting key
116 error setting recipientinfo
117 invalid encrypted key length
118 invalid key length
119 md bio init error
120 messagedigest attribute wrong length
121 messagedigest wrong length
122 not encrypted data
123 not kek
124 not key transport
125 not supported for this key type
126 no cipher
127 no content
128 no default digest
129 no digest set
130 no key
131 no matching digest
132 no matching recipient
133 no private key
134 no public key
135 no signers
136 private key does not match certificate
137 recipient error
138 signer certificate not found
139 signfinal error
140 smime text error
141 store init error
142 type not compressed data
143 type not data
144 type not digested data
145 type not encrypted data
146 type not enveloped data
147 unable to finalize context
148 unknown cipher
149 unknown digest algorithm
150 unknown id
151 unsupported compression algorithm
152 unsupported content type
153 unsupported kek algorithm
154 unsupported recipient type
155 unsupported recipientinfo type
156 unsupported type
157 unwrap error
158 verification failure
159 wrap error
160 certificate has no keyid
161 attribute error
162 msgsigdigest verification failure
163 msgsigdigest wrong length
164 need one signer
165 not a signed receipt
166 no matching signature
167 no msgsigdigest
168 no receipt request
169 receipt decode error
170 contentidentifier mismatch
171 content type mismatch
172 msgsigdigest error
173 no content type
174 no key or cert
175 certificate already present
176 invalid key encryption parameter
177 not pwri
178 no password
179 unsupported key encryption algorithm
180 unwrap failure
181 not key agreement
182 operation unsupported
183 ess signing certid mismatch error
184 cipher aead set tag error
185 cipher get tag
186 kdf parameter error
187 decode error
188 peer key error
189 shared info error
190 invalid label
191 invalid oaep parameters
192 unsupported encryption type
193 unsupported label source
194 unsupported content encryption algorithm
195 unsupported signature algorithm
196 error unsupported static key agreement
200 cipher aead in enveloped data
`,
  ts: `
100 certificate verify error
101 ess signing certificate error
102 invalid null pointer
103 message imprint mismatch
104 nonce mismatch
105 nonce not returned
106 no content
107 no time stamp token
108 policy mismatch
109 signature failure
110 there must be one signer
111 tsa name mismatch
112 tsa untrusted
113 unsupported version
114 wrong content type
115 could not set time
116 ess add signing cert error
117 invalid signer certificate purpose
118 pkcs7 add signature error
119 pkcs7 add signed attr error
120 private key does not match certificate
121 response setup error
122 time syscall error
123 tst info setup error
124 ts datasign
125 unacceptable policy
126 unsupported md algorithm
127 could not set engine
129 pkcs7 to ts tst info failed
130 token not present
131 token present
132 bad pkcs7 type
133 bad type
134 detached content
135 var bad value
136 cannot find config variable
137 cannot load certificate
138 cannot load private key
139 ess add signing cert v2 error
`,
  async: `
101 failed to set pool
102 failed to swap context
103 invalid pool size
105 init failed
`,
  ess: `
100 ess signing cert add error
101 ess signing cert v2 add error
102 ess signing certificate error
103 ess cert digest error
104 ess cert id not found
105 ess cert id wrong order
106 ess digest alg unknown
107 empty ess cert id list
108 missing signing certificate attribute
`,
  crmf: `
100 bad pbm iterationcount
101 malformed iv
102 crmferror
103 error
104 error decoding certificate
105 error decrypting certificate
106 error decrypting symmetric key
107 failure obtaining random
108 iterationcount below 100
109 null argument
110 setting mac algor failure
111 setting owf algor failure
112 unsupported algorithm
113 poposkinput not supported
114 unsupported cipher
115 unsupported method for creating popo
116 unsupported popo method
117 popo inconsistent public key
118 popo missing public key
119 popo missing subject
120 popo raverified not accepted
121 popo missing
122 cms not supported
123 error decoding encryptedkey
124 error decrypting encryptedkey
125 error decrypting encryptedvalue
126 error setting purpose
127 error verifying encryptedkey
128 popo inconsistent central keygen
`,
  cmp: `
100 invalid args
101 unsupported pkibody
102 multiple san sources
103 null argument
104 expected pollreq
105 unexpected pollreq
106 unexpected sender
107 error parsing pkistatus
108 bad request id
109 certid not found
110 failure obtaining random
111 missing sender identification
112 certificate not found
113 certresponse not found
114 cert and key do not match
115 error calculating protection
116 error creating certconf
117 error creating certrep
118 error creating error
119 error creating genm
120 error creating genp
121 missing p10csr
122 error creating pkiconf
123 error creating pollrep
124 error creating pollreq
125 error creating rp
126 error creating rr
127 error protecting message
128 error setting certhash
129 fail info out of range
130 missing key input for creating protection
131 missing private key
132 pkistatusinfo not found
133 unexpected pkibody
134 unknown algorithm id
135 unknown cert type
136 unsupported algorithm
137 unsupported key type
138 wrong algorithm oid
139 algorithm not supported
140 error validating protection
141 failed extracting pubkey
142 missing key usage digitalsignature
143 missing protection
144 missing trust store
145 no suitable sender cert
146 pkibody error
147 potentially invalid certificate
148 recipnonce unmatched
149 request not accepted
150 sender generalname type not supported
151 srvcert does not validate msg
152 transactionid unmatched
153 unexpected pvno
154 unsupported protection alg dhbasedmac
155 wrong pbm value
156 certhash unmatched
157 certreqmsg not found
158 error processing message
159 transfer error
160 error unexpected certconf
161 multiple requests not supported
162 encountered waiting
163 error creating certreq
164 failed building own chain
165 missing certid
166 missing pbm secret
167 bad checkafter in pollrep
168 missing reference cert
169 certificate not accepted
170 multiple responses not supported
171 error validating signature
172 polling failed
173 wrong serial in rp
174 invalid option
175 value too large
176 encountered keyupdatewarning
177 value too small
178 missing secret
179 missing trust anchor
180 received error
181 checkafter out of range
182 request rejected by server
183 missing public key
184 total timeout
185 unexpected pkistatus
186 unknown pkistatus
187 wrong certid in rp
188 wrong rp component count
189 wrong certid
190 missing private key for popo
191 unclean ctx
192 getting genp
193 invalid genp
194 no stdio
195 invalid rootcakeyupdate
196 unexpected certprofile
197 generate certreqtemplate
198 error creating crlstatus
199 get itav
200 unknown crl issuer
201 unexpected crlstatuslist
202 invalid keyspec
203 failed extracting central gen key
204 missing central gen key
205 unexpected central gen key
`,
  http: `
100 connect failure
101 error parsing url
102 error sending
103 error receiving
104 response parse error
105 received error
106 received wrong http version
107 tls not enabled
108 asn1 len exceeds max resp len
109 error parsing asn1 length
110 missing asn1 encoding
111 missing redirect location
112 redirection from https to http
113 response line too long
114 status code unsupported
115 too many redirections
116 redirection not enabled
117 max resp len exceeded
118 unexpected content type
119 error parsing content length
120 inconsistent content length
121 missing content type
122 sock not supported
123 invalid port number
124 invalid url scheme
125 invalid url path
126 header parse error
127 server canceled connection
128 failed reading data
129 retry timeout
130 response too many hdrlines
131 content type mismatch
`,
};
