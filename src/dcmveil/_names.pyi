# ext/dcmveil/_names.pyx has C functions only.
