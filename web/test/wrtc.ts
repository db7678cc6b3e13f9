// One peer for both: libwebrtc in Node, as the server's tests use it.
export { PeerConnection, wrtc } from '../../sfu/test/support/wrtc.ts';
