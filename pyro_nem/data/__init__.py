"""Frames and sequences: their files, the generators that make them, the batches they come in.

Usage::

    with HDF5Frames(shapes_file(ShapesConfig()), "training") as source:
        for batch in epoch_batches(source, frames=21, batch_size=64, seed=0, epoch=0):
            clip = make_clip(batch.frames, Noise(), generator)
"""

from pyro_nem.data.array_frames import ArrayFrames, as_source
from pyro_nem.data.ball_physics import BallMotion, Balls, simulate_balls
from pyro_nem.data.balls import (
    BallScene,
    BallsConfig,
    draw_balls,
    generate_balls,
    render_balls,
)
from pyro_nem.data.batches import (
    epoch_batches,
    num_batches,
    ordered_batches,
    read_batch,
)
from pyro_nem.data.cache import balls_file, digits_file, shapes_file, sprites_file
from pyro_nem.data.clip import Clip, make_clip
from pyro_nem.data.digest import arrays_sha256, frames_sha256
from pyro_nem.data.digits import (
    DigitScene,
    DigitsConfig,
    draw_digits,
    generate_digits,
    render_digits,
)
from pyro_nem.data.folders import cache_dir, data_dir
from pyro_nem.data.frames import FrameBatch, FrameSource
from pyro_nem.data.handwriting import Handwriting, MoveScale, to_handwriting, to_moves
from pyro_nem.data.hdf5_frames import HDF5Frames
from pyro_nem.data.iam import iam
from pyro_nem.data.image_set import ImageSet, bit_batches
from pyro_nem.data.layout import SPLITS, FrameBlock, Split, write_frames
from pyro_nem.data.mnist import MNISTPart, mnist_images
from pyro_nem.data.mnist_bitmaps import DigitBitmaps, digit_bitmaps
from pyro_nem.data.mnist_bits import BinarizationName, BinaryMNIST, binary_mnist
from pyro_nem.data.motion import bounce
from pyro_nem.data.noise import Noise, bitflip, masked_uniform
from pyro_nem.data.omniglot import omniglot, resampled
from pyro_nem.data.order import epoch_order
from pyro_nem.data.pen_strokes import PenStrokes, TupleCode, pen_strokes
from pyro_nem.data.polyphonic import LOWEST_NOTE, NOTES, TuneName, piano_rolls
from pyro_nem.data.published import PublishedFile, published_content
from pyro_nem.data.recordings import Recording, frames_of, read_recording, read_wav
from pyro_nem.data.resident import MEMORY_LIMIT, ResidentFrames
from pyro_nem.data.scaling import Scaling
from pyro_nem.data.sequence_batch import SequenceBatch, pad
from pyro_nem.data.sequence_batches import padded_batches, shuffled_batches
from pyro_nem.data.sequence_schedule import SequenceSchedule
from pyro_nem.data.sequences import SequenceSet
from pyro_nem.data.shapes import (
    BITMAPS,
    Scene,
    ShapesConfig,
    draw_scene,
    generate_shapes,
    render,
    track,
)
from pyro_nem.data.share import WHOLE, Share
from pyro_nem.data.silhouettes import SILHOUETTES
from pyro_nem.data.speech import FRAME, Speech, to_speech
from pyro_nem.data.speech_folders import blizzard, timit
from pyro_nem.data.spoken_digits import spoken_digits
from pyro_nem.data.sprites import (
    SpriteScene,
    SpritesConfig,
    draw_sprites,
    generate_sprites,
    render_sprites,
)
from pyro_nem.data.stored_rows import Rows, StoredRows, loaded

__all__ = [
    "BITMAPS",
    "FRAME",
    "LOWEST_NOTE",
    "MEMORY_LIMIT",
    "NOTES",
    "SILHOUETTES",
    "SPLITS",
    "WHOLE",
    "ArrayFrames",
    "BallMotion",
    "BallScene",
    "Balls",
    "BallsConfig",
    "BinarizationName",
    "BinaryMNIST",
    "Clip",
    "DigitBitmaps",
    "DigitScene",
    "DigitsConfig",
    "FrameBatch",
    "FrameBlock",
    "FrameSource",
    "HDF5Frames",
    "Handwriting",
    "ImageSet",
    "MNISTPart",
    "MoveScale",
    "Noise",
    "PenStrokes",
    "PublishedFile",
    "Recording",
    "ResidentFrames",
    "Rows",
    "Scaling",
    "Scene",
    "SequenceBatch",
    "SequenceSchedule",
    "SequenceSet",
    "ShapesConfig",
    "Share",
    "Speech",
    "Split",
    "SpriteScene",
    "SpritesConfig",
    "StoredRows",
    "TuneName",
    "TupleCode",
    "arrays_sha256",
    "as_source",
    "balls_file",
    "binary_mnist",
    "bit_batches",
    "bitflip",
    "blizzard",
    "bounce",
    "cache_dir",
    "data_dir",
    "digit_bitmaps",
    "digits_file",
    "draw_balls",
    "draw_digits",
    "draw_scene",
    "draw_sprites",
    "epoch_batches",
    "epoch_order",
    "frames_of",
    "frames_sha256",
    "generate_balls",
    "generate_digits",
    "generate_shapes",
    "generate_sprites",
    "iam",
    "loaded",
    "make_clip",
    "masked_uniform",
    "mnist_images",
    "num_batches",
    "omniglot",
    "ordered_batches",
    "pad",
    "padded_batches",
    "pen_strokes",
    "piano_rolls",
    "published_content",
    "read_batch",
    "read_recording",
    "read_wav",
    "render",
    "render_balls",
    "render_digits",
    "render_sprites",
    "resampled",
    "shapes_file",
    "shuffled_batches",
    "simulate_balls",
    "spoken_digits",
    "sprites_file",
    "timit",
    "to_handwriting",
    "to_moves",
    "to_speech",
    "track",
    "write_frames",
]
