import wrtc from '@roamhq/wrtc';

// The SDK finds WebRTC where a browser has it.
for (const name of [
  'MediaStream',
  'MediaStreamTrack',
  'RTCPeerConnection',
  'RTCRtpReceiver',
  'RTCRtpSender',
  'RTCRtpTransceiver',
  'RTCSessionDescription',
  'RTCIceCandidate',
] as const) {
  Object.assign(globalThis, { [name]: wrtc[name] });
}

export { wrtc };
