"""Makes every property test find the same examples on every machine and in every run."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "the same every time",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("the same every time")
