"""Your own videos and images, read one by one and written in the layout of the published files.

Usage::

    source = open_videos(Path("videos"), Path("masks"))
    splits = deal(source.num_videos, validation=0.1, test=0.1, seed=0)
    convert(source, Path("mine.h5"), splits, ImageSize(64, 64))
"""

from pyro_nem.importing.array_videos import ArrayVideos
from pyro_nem.importing.converting import convert
from pyro_nem.importing.dealing import deal
from pyro_nem.importing.folder_videos import FolderVideos
from pyro_nem.importing.image_size import ImageSize
from pyro_nem.importing.opening import open_videos
from pyro_nem.importing.videos import Video, Videos

__all__ = [
    "ArrayVideos",
    "FolderVideos",
    "ImageSize",
    "Video",
    "Videos",
    "convert",
    "deal",
    "open_videos",
]
