"""Video, by PyAV (extra `video`): any frame, by its place in the order in which they are shown.

A frame is always decoded from the key frame before it, in one thread, whatever was decoded earlier:
so it is the same pixels whether it is asked for alone or among others. (Damage that a decoder does
not notice is the exception: FFmpeg's VP8 then shows memory that it never wrote.) Packets are
counted, never searched by time, since containers' indices are not to be trusted.
"""

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from pixelmine.core import Limits, Reason
from pixelmine.core.budget import expect

from .colour import to_grey
from .orient import orient
from .picture import DecodeOptions, Picture, Refusal
from .video_index import VideoIndex, index_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["VideoFile", "open_video"]

_DEMUXERS = {"mp4": "mov", "mov": "mov", "mkv": "matroska", "webm": "matroska", "avi": "avi"}
_MAX_FORWARD = 10**11
"""Pixels between a key frame and the frame that is wanted: about ten minutes of 1080p without a
second key frame, and about as long to decode."""
_OPTIONS = {"protocol_whitelist": "none"}
"""No file but the one at hand: a container may name others, by URL."""
_ATTACHED_PICTURE = 0x400
_UNKNOWN_COLORSPACE = 2
_HD = 720
_TURNS = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
"""Signs of the display matrix (a, b, c, d), and the EXIF orientation that does the same."""


def open_video(data: bytes, name: str, options: DecodeOptions, limits: Limits) -> "VideoFile":
    """Find the video stream. A file with sound alone is `not_an_image`."""
    return VideoFile(data, name, options, limits)


class VideoFile:
    """The first video stream of a file."""

    independent = True

    def __init__(self, data: bytes, name: str, options: DecodeOptions, limits: Limits) -> None:
        self.data, self.name, self.options, self.limits = data, name, options, limits
        self._container: InputContainer | None = None
        container, stream = self._open()
        with container:
            self.size = stream.codec_context.width, stream.codec_context.height
            self._index: VideoIndex = index_of(container.demux(stream), stream)
        self._codec: VideoCodecContext
        self._start, self._next_packet = -1, 0
        self._damaged: int | None = None
        self._shown = 0
        self._packets: Iterator[Packet[VideoStream]] = iter(())
        self._decoded: Iterator[tuple[int, VideoFrame]] = iter(())
        self._ahead: tuple[int, VideoFrame] | None = None

    def picture(self, frame: int) -> Picture | Reason | None:
        """One frame, upright. What hangs on a damaged one, up to the next key frame, is corrupt."""
        width, height = self.size
        if width * height > self.limits.max_pixels:
            return Reason.TOO_MANY_PIXELS
        if frame == 0 and not self._index.times:
            raise ValueError("a video without a frame")
        if frame >= len(self._index.times):
            return None
        packet, start = self._index.packets[frame], self._index.starts[frame]
        if (packet - start) * width * height > _MAX_FORWARD:
            return Reason.DECODER_TIMEOUT
        found = self._find(self._index.times[frame], start)
        if found is None or (self._damaged is not None and self._damaged <= packet):
            return Reason.CORRUPT
        return self._finish(found)

    def count(self) -> int:
        """Frames that are shown, as packets were found for."""
        return len(self._index.times)

    def moments(self) -> Sequence[int]:
        """The first frame of each second from the first frame on."""
        return self._index.moments()

    def close(self) -> None:
        """Close the container."""
        if self._container is not None:
            self._container.close()

    def _open(self) -> "tuple[InputContainer, VideoStream]":
        import av

        container = av.open(
            io.BytesIO(self.data), format=_DEMUXERS[self.name], container_options=dict(_OPTIONS)
        )
        for stream in container.streams.video:
            if not int(stream.disposition) & _ATTACHED_PICTURE:
                codec = stream.codec_context
                codec.thread_count, codec.thread_type = 1, "NONE"
                codec.options = {"max_pixels": str(2 * self.limits.max_pixels)}
                return container, stream
        container.close()
        raise Refusal(Reason.NOT_AN_IMAGE)

    def _find(self, time: int, start: int) -> "VideoFrame | None":
        if start != self._start or (self._ahead is not None and self._ahead[0] > time):
            self._begin(start)
        while self._ahead is None or self._ahead[0] < time:
            self._ahead = next(self._decoded, None)
            if self._ahead is None:
                self._start = -1  # what comes next is decoded anew
                return None
        return self._ahead[1] if self._ahead[0] == time else None

    def _begin(self, start: int) -> None:
        """Get ready to decode from a packet; where it was read already, read the file again."""
        if self._container is None or self._next_packet > start:
            self.close()
            self._container, stream = self._open()
            self._codec = stream.codec_context
            self._packets, self._next_packet = iter(self._container.demux(stream)), 0
        elif self._codec.is_open:
            self._codec.flush_buffers()
        self._start, self._damaged, self._ahead, self._shown = start, None, None, 0
        self._decoded = self._decode()

    def _decode(self) -> "Iterator[tuple[int, VideoFrame]]":
        """Frames as they are shown, each with its time; a packet that is damaged is remembered."""
        from av.error import FFmpegError

        for packet in self._packets:
            number, self._next_packet = self._next_packet, self._next_packet + 1
            if number < self._start:
                continue
            damaged = packet.is_corrupt
            frames: list[VideoFrame] = []
            expect(self.size[0] * self.size[1])
            try:
                frames = self._codec.decode(packet if packet.size else None)
            except FFmpegError:
                damaged = True
            if damaged and self._damaged is None:
                self._damaged = number
            for frame in frames:
                if not self._shown and not frame.key_frame and self._damaged is None:
                    self._damaged = self._start  # it is made from frames before the start
                yield self._time(frame), frame

    def _time(self, frame: "VideoFrame") -> int:
        self._shown += 1
        if self._index.by_number or frame.pts is None:
            return self._shown - 1
        return int(frame.pts)

    def _finish(self, frame: "VideoFrame") -> Picture | Reason:
        if frame.is_corrupt:
            return Reason.CORRUPT
        width, height = frame.width, frame.height
        if width * height > self.limits.max_pixels:
            return Reason.TOO_MANY_PIXELS
        pixels = _to_rgb(frame)
        if self.options.colour == "grey":
            pixels = to_grey(pixels)
        turn = _orientation(frame)
        upright = np.ascontiguousarray(orient(pixels, turn))
        return Picture(upright, self.name, width, height, turn)


def _to_rgb(frame: "VideoFrame") -> np.ndarray:
    """uint8 (H, W, 3). Where the file does not say, HD is ITU-R BT.709 and the rest BT.601."""
    from av.video.reformatter import Colorspace, VideoReformatter

    space = None
    if frame.colorspace == _UNKNOWN_COLORSPACE:
        space = Colorspace.ITU709 if frame.height >= _HD else Colorspace.ITU601
    made = VideoReformatter().reformat(frame, format="rgb24", src_colorspace=space, threads=1)
    return np.asarray(made.to_ndarray())


def _orientation(frame: "VideoFrame") -> int:
    """The display matrix (ISO/IEC 14496-12, 6.2.2), whole quarter turns and mirrors alone."""
    side = frame.side_data.get("DISPLAYMATRIX")
    if side is None:
        return 1
    a, b, _, c, d = np.sign(np.frombuffer(cast(bytes, side), np.int32)[:5]).tolist()
    return _TURNS.get((a, b, c, d), 1)
