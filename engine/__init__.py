"""What decides: from commands to a durable journal, and what follows it."""

from engine.kernel_cache import choose_kernel_cache

choose_kernel_cache()
