"""When does a trained encoder recover the latents that generated its data? The computing half."""

import os

# A member must not depend on its companions, bit for bit. MKL picks its matrix kernels by the
# alignment of the data, which companions shift, unless this is set before its first call.
os.environ.setdefault("MKL_CBWR", "AUTO")
