"""One error tree. Every message names the fault, then the remedy.

LookalikeError
├── SettingsError         a setting or argument that cannot be used
├── PhotoError            one photo cannot be matched; `code` says why, in the JSON output too
│   ├── UnreadablePhotoError   "unreadable"
│   ├── PhotoTooLargeError     "too_large"
│   └── NoFaceError            "no_face"
├── StorageError          a file or folder cannot be written
├── ModelError            a model pack cannot be had, or is not what it should be
│   └── HubUnreachableError    the Hub does not answer (or is not to be asked)
├── SourceError           a server that portraits come from does not answer as it should
│   ├── GoneError              not there, or too large: asking again will not help
│   └── BusyError              asked again in vain
├── GalleryError          no gallery, or none of it can be used
├── IndexRefusedError     an index or embeddings cache that must not be used
├── IndexServerError      what keeps the index outside this process does not answer
├── ClusterError          a cluster cannot be joined, or does not do what it is asked
└── FontError             a font that pictures are drawn with is missing or damaged
"""


class LookalikeError(Exception):
    """Root of the tree: what scripts print in one line before they exit with status 2."""


class SettingsError(LookalikeError):
    """A setting or argument that cannot be used."""


class PhotoError(LookalikeError):
    """One photo cannot be matched. `code` is stable: pages and callers switch on it."""

    code = "photo"


class UnreadablePhotoError(PhotoError):
    """Not a picture of a known kind, or a damaged one."""

    code = "unreadable"


class PhotoTooLargeError(PhotoError):
    """More bytes or pixels than the settings allow."""

    code = "too_large"


class NoFaceError(PhotoError):
    """No face was found, upright or turned."""

    code = "no_face"


class StorageError(LookalikeError):
    """A file or folder cannot be written: full, read-only or missing."""


class ModelError(LookalikeError):
    """A model pack cannot be had, or is not what it should be."""


class HubUnreachableError(ModelError):
    """The Hub did not answer in time, or the settings forbid asking it."""


class GalleryError(LookalikeError):
    """There is no gallery, or nothing in it can be used."""


class IndexRefusedError(LookalikeError):
    """An index or embeddings cache of another pack or schema, or a damaged one."""


class IndexServerError(LookalikeError):
    """What keeps the index outside this process is not installed or does not answer."""


class SourceError(LookalikeError):
    """A server that portraits come from does not answer, or answers with something else."""


class GoneError(SourceError):
    """Not there, or too large: asking again will not help."""


class BusyError(SourceError):
    """No usable answer, however often it was asked for."""


class ClusterError(LookalikeError):
    """Ray is not installed, or its cluster does not answer or does not do what it is asked."""


class FontError(LookalikeError):
    """A font that pictures are drawn with is missing or damaged."""
