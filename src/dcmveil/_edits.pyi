# ext/dcmveil/_edits.pyx has C functions only.
