# ext/dcmveil/_creators.pyx has C functions only.
