"""How every kernel is compiled: cached, without the interpreter's lock, and without counting references.

Arrays come from the caller, who holds them while a kernel runs. Counting them on each call between kernels
would cost more than all that the compiled pass does.
"""

import numba

kernel = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)
inner = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True)
