// The part of libsrtp 3's interface that the mediasoup worker uses, over libsrtp 2.
//
// What differs between the two: in libsrtp 3 a policy is an opaque handle that is filled by calls, not a struct; and packets are
// protected from one buffer into another, not in place. The macros at the end put these functions in the place of their namesakes.
#pragma once

#include <arpa/inet.h>
#include <srtp2/srtp.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

// libsrtp 3 has two more error codes. The first is returned below, the second never.
inline constexpr auto srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(28);
inline constexpr auto srtp_err_status_cryptex_err = static_cast<srtp_err_status_t>(29);

namespace srtp3 {

struct Policy {
  srtp_policy_t v2{};
  uint8_t key[SRTP_MAX_KEY_LEN]{};  // master key and salt, which libsrtp 2 wants one after the other
};

inline srtp_err_status_t policy_create(Policy** policy) {
  *policy = new (std::nothrow) Policy();
  return *policy ? srtp_err_status_ok : srtp_err_status_alloc_fail;
}

inline void policy_destroy(Policy* policy) {
  delete policy;
}

inline srtp_err_status_t policy_set_ssrc(Policy* policy, srtp_ssrc_t ssrc) {
  policy->v2.ssrc = ssrc;
  return srtp_err_status_ok;
}

inline srtp_err_status_t policy_set_profile(Policy* policy, srtp_profile_t profile) {
  const auto error = srtp_crypto_policy_set_from_profile_for_rtp(&policy->v2.rtp, profile);
  if (error != srtp_err_status_ok) return error;
  return srtp_crypto_policy_set_from_profile_for_rtcp(&policy->v2.rtcp, profile);
}

inline srtp_err_status_t policy_add_key(Policy* policy, const uint8_t* key, size_t key_length, const uint8_t* salt,
                                        size_t salt_length, const uint8_t* /*mki*/, size_t /*mki_length*/) {
  if (key_length + salt_length > sizeof(policy->key)) return srtp_err_status_bad_param;
  std::memcpy(policy->key, key, key_length);
  std::memcpy(policy->key + key_length, salt, salt_length);
  policy->v2.key = policy->key;
  return srtp_err_status_ok;
}

inline srtp_err_status_t policy_set_allow_repeat_tx(Policy* policy, bool allow) {
  policy->v2.allow_repeat_tx = allow;
  return srtp_err_status_ok;
}

inline srtp_err_status_t policy_set_window_size(Policy* policy, size_t size) {
  policy->v2.window_size = size;
  return srtp_err_status_ok;
}

// libsrtp 2 copies the policy and its key, so the worker may destroy the policy right after.
inline srtp_err_status_t create(srtp_t* session, Policy* policy) {
  return srtp_create(session, &policy->v2);
}

// Copies the packet to the other buffer, unless it is there already, and lets libsrtp 2 work on it in place.
// `growth` is by how much that may lengthen it.
template <srtp_err_status_t (*Transform)(srtp_t, void*, int*)>
srtp_err_status_t transform(srtp_t session, const uint8_t* in, size_t in_length, uint8_t* out, size_t* out_length,
                            size_t growth) {
  if (*out_length < in_length + growth) return srtp_err_status_buffer_small;
  if (in != out) std::memcpy(out, in, in_length);
  int length = static_cast<int>(in_length);
  const auto error = Transform(session, out, &length);
  if (error == srtp_err_status_ok) *out_length = static_cast<size_t>(length);
  return error;
}

inline srtp_err_status_t protect(srtp_t session, const uint8_t* in, size_t in_length, uint8_t* out, size_t* out_length,
                                 size_t /*mki_index*/) {
  return transform<srtp_protect>(session, in, in_length, out, out_length, SRTP_MAX_TRAILER_LEN);
}

inline srtp_err_status_t protect_rtcp(srtp_t session, const uint8_t* in, size_t in_length, uint8_t* out, size_t* out_length,
                                      size_t /*mki_index*/) {
  return transform<srtp_protect_rtcp>(session, in, in_length, out, out_length, SRTP_MAX_TRAILER_LEN + 4);  // SRTCP adds its index
}

inline srtp_err_status_t unprotect(srtp_t session, const uint8_t* in, size_t in_length, uint8_t* out, size_t* out_length) {
  return transform<srtp_unprotect>(session, in, in_length, out, out_length, 0);
}

inline srtp_err_status_t unprotect_rtcp(srtp_t session, const uint8_t* in, size_t in_length, uint8_t* out, size_t* out_length) {
  return transform<srtp_unprotect_rtcp>(session, in, in_length, out, out_length, 0);
}

inline srtp_err_status_t stream_remove(srtp_t session, uint32_t ssrc) {
  return srtp_remove_stream(session, ssrc);
}

}  // namespace srtp3

#define srtp_policy_t srtp3::Policy*
#define srtp_policy_create srtp3::policy_create
#define srtp_policy_destroy srtp3::policy_destroy
#define srtp_policy_set_ssrc srtp3::policy_set_ssrc
#define srtp_policy_set_profile srtp3::policy_set_profile
#define srtp_policy_add_key srtp3::policy_add_key
#define srtp_policy_set_allow_repeat_tx srtp3::policy_set_allow_repeat_tx
#define srtp_policy_set_window_size srtp3::policy_set_window_size
#define srtp_create srtp3::create
#define srtp_protect srtp3::protect
#define srtp_protect_rtcp srtp3::protect_rtcp
#define srtp_unprotect srtp3::unprotect
#define srtp_unprotect_rtcp srtp3::unprotect_rtcp
#define srtp_stream_remove srtp3::stream_remove
