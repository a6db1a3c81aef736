"""Estimators of the gradient where the law of a state depends on the draws before it."""

import pyro
import pyro.distributions as dist
import pytest
import torch
from torch import nn

from inference import BoundConfig, EnumeratedBound, NEMObjective
from inference.guides import VRNN, DrawnNormal
from models import RecurrentPrior, SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.networks import DenseDecoder, FlatEncoder

pytestmark = pytest.mark.usefixtures("double_precision")

SUM_OUT = {"enumerate": "parallel"}
LOG_PI = torch.tensor([0.3, 0.7], dtype=torch.double).log()
S, B = 4, 3


class TwoSteps(nn.Module):
    """Two steps of a sequence, whose prior and guide share the recurrence h = tanh(c theta_1).

    x ~ mixture of N(beta_z theta_2 + theta_1, 1), theta_2 ~ N(alpha h, 1), theta_1 ~ N(0, 1).
    """

    def __init__(self, recurrence):
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(0.7))
        self.beta = nn.Parameter(torch.tensor([1.5, -0.5]))
        self.recurrence = recurrence
        self.x = torch.tensor([-1.0, 0.2, 2.0])

    def forward(self, theta, loc, h):
        with pyro.plate("batch", B, dim=-1):
            if h is None:
                first = pyro.sample("first", dist.Normal(0.0, 1.0))
                h = torch.tanh(self.recurrence * first)
                second = pyro.sample("second", dist.Normal(self.alpha * h, 1.0))
            else:
                means = torch.stack([torch.zeros_like(h), self.alpha * h], -1)
                first, second = pyro.sample("theta", dist.Normal(means, 1.0).to_event(1)).unbind(-1)
            z = pyro.sample("z", dist.Categorical(logits=LOG_PI), infer=SUM_OUT)
            pyro.sample("x", dist.Normal(self.beta[z] * second + first, 1.0), obs=self.x)


class TwoStepsGuide(nn.Module):
    """theta_1 ~ N(m_1, s), theta_2 ~ N(h + m_2, s)."""

    def __init__(self):
        super().__init__()
        self.recurrence = nn.Parameter(torch.tensor(0.8))
        self.m = nn.Parameter(torch.tensor([0.3, -0.4]))
        self.raw = nn.Parameter(torch.tensor(-0.1))
        self.noise = torch.randn(S, B, 2, generator=torch.Generator().manual_seed(5))

    def run(self, theta=None):
        """Return theta [S, B, 2], drawn if it is not given, its mean and h."""
        first = self.m[0] + self.raw.exp() * self.noise[..., 0] if theta is None else theta[..., 0]
        h = torch.tanh(self.recurrence * first)
        loc = torch.stack([self.m[0].expand_as(h), h + self.m[1]], -1)
        second = loc[..., 1] + self.raw.exp() * self.noise[..., 1]
        return torch.stack([first, second], -1) if theta is None else theta, loc, h

    def forward(self, theta, loc, h):
        with pyro.plate("batch", B, dim=-1):
            if h is None:
                draw, scale = self.run()[0], self.raw.exp().expand(S, B)
                first = pyro.sample(
                    "first", DrawnNormal(self.m[0].expand(S, B), scale, draw[..., 0])
                )
                loc = torch.tanh(self.recurrence * first) + self.m[1]
                value = loc + scale * self.noise[..., 1]
                pyro.sample("second", DrawnNormal(loc, scale, value))
            else:
                law = DrawnNormal(loc, self.raw.exp().expand_as(loc), theta)
                pyro.sample("theta", law.to_event(1))


def two_steps_by_hand(model, guide, gradient):
    """The derivative of log w in the draws as such, weighted, then that of draws in parameters."""
    draws = guide.run()[0]
    theta = draws.detach().requires_grad_()
    first, second = theta.unbind(-1)
    h = torch.tanh(guide.recurrence * first)
    joint = dist.Normal(model.beta.view(2, 1, 1) * second + first, 1.0).log_prob(model.x)
    log_p = (LOG_PI.view(2, 1, 1) + joint).logsumexp(0)
    log_p = log_p + dist.Normal(0.0, 1.0).log_prob(first)
    log_p = log_p + dist.Normal(model.alpha * h, 1.0).log_prob(second)
    fixed = torch.tanh(guide.recurrence.detach() * first)
    m, scale = guide.m.detach(), guide.raw.detach().exp()
    log_q = dist.Normal(m[0], scale).log_prob(first)
    log_q = log_q + dist.Normal(fixed + m[1], scale).log_prob(second)
    share = (log_p - log_q).detach().softmax(0)[..., None]  # [S, B, 1]
    (partial,) = torch.autograd.grad((log_p - log_q).sum(), theta, retain_graph=True)
    share_of_draws = share**2 if gradient == "dreg" else share
    surrogate = (share[..., 0] * log_p).sum() + (share_of_draws * partial * draws).sum()
    return torch.autograd.grad(surrogate, [*guide.parameters(), model.alpha, model.beta])


@pytest.mark.parametrize("gradient", ["dreg", "stl"])
@pytest.mark.parametrize("rescored", [True, False])
def test_a_sequential_guide_against_the_formula(gradient, rescored):
    """Draws that stand in the arguments, of one site for all steps; and a site for each step."""
    guide = TwoStepsGuide()
    model = TwoSteps(guide.recurrence)
    bound = EnumeratedBound(
        "iwae",
        particles=S,
        gradient=gradient,
        max_plate_nesting=1,
        rescore=(lambda _, draws: guide.run(draws["theta"])) if rescored else None,
    )
    loss = bound(model, guide)(*(guide.run() if rescored else (None, None, None)))
    ours = torch.autograd.grad(-loss, [*guide.parameters(), model.alpha, model.beta])
    torch.testing.assert_close(ours, two_steps_by_hand(model, guide, gradient))


def test_estimators_agree_for_a_recurrent_guide():
    """Every call is a mean over many sequences. No gradient is cut: with a cut one dreg differs."""
    torch.manual_seed(0)
    model = SpatialMixture(DenseDecoder((2, 2, 1), 4), 2, prior=RecurrentPrior(2, 2, hidden=3))
    guide = VRNN(model, FlatEncoder((2, 2, 4)), hidden=3, gradient_gamma=True, gradient_psi=True)
    parameters = [*model.parameters(), *guide.parameters()]
    for parameter in parameters:
        parameter.data.mul_(2.0)
    frames = (torch.rand(4, 1, 4, 1) < 0.5).double().expand(4, 200, 4, 1)
    clip = Clip(frames[:-1], frames[1:])

    def gradient(objective, particles, name, seed):
        bound = BoundConfig(objective, particles, name)
        module = NEMObjective(model, guide, inter_weight=0.0, bound=bound)
        loss = module(clip, torch.Generator().manual_seed(seed)).loss
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)])

    for objective, particles, name in (("elbo", 1, "stl"), ("iwae", 3, "dreg")):
        standard, other = (
            torch.stack([gradient(objective, particles, kind, seed) for seed in range(24)], -1)
            for kind in ("standard", name)
        )
        difference = other - standard
        moved = difference.std(-1) > 1e-9  # what concerns the decoder alone is the same
        assert moved.sum() > 100
        draws = difference[moved]
        error = draws.std(-1) / draws.shape[-1] ** 0.5
        assert (draws.mean(-1) / error).abs().max() < 4.5
