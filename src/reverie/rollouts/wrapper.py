"""What every policy around another policy shares: the specs are those of the inner one."""

from dataclasses import dataclass

from reverie.core import ActionSpec, ObservationSpec, Policy


@dataclass
class Wrapper:
    """Base of `Chunked`, `Delayed` and `Ensembled`; a subclass gives `name`, `fingerprint`, `n_action_steps` and `infer`."""

    inner: Policy

    @property
    def observation_spec(self) -> ObservationSpec:
        return self.inner.observation_spec

    @property
    def action_spec(self) -> ActionSpec:
        return self.inner.action_spec
