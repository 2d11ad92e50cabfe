"""Files of a checkpoint, on a disk or in the cache of the hub: found, read, measured."""
