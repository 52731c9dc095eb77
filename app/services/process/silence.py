"""The silence before speech (contract streaming.md §3.1).

The stock front-end makes its player at the first sound, and drops what comes before the player is open, 25 to 90 ms
later. So the first sound is a short silence, and the speech follows when a slow device has its player open.
"""

LEAD_SECONDS = 0.3

# One frame of MPEG-1 layer III: 32 kbit/s, 44,100 Hz, mono, no CRC. Its side information and data are zeros, which a
# decoder reads as 26 ms without a sound. Frame length: 144 * 32,000 / 44,100 bytes.
_HEADER = b"\xff\xfb\x10\xc0"
_FRAME_BYTES = 144 * 32_000 // 44_100
SILENCE = _HEADER.ljust(_FRAME_BYTES, b"\0")
