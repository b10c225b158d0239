"""Settings every test shares: a derandomised hypothesis profile and the shipped facts."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("ridgepoint", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ridgepoint")
