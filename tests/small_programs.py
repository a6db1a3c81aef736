"""Parts of small Pyro programs, for tests of the bound.

x [B, D]: batch (-2), pixel (-1); what has steps says so
"""

import pyro
import pyro.distributions as dist
import torch
from torch import nn

B, D, T = 3, 4, 2
X = torch.linspace(-1.0, 2.0, B * D, dtype=torch.double).view(B, D)
Y = X[:, :1]
MASK = X < 1.0
SUM_OUT = {"enumerate": "parallel"}


class Program(nn.Module):
    """A Pyro program, whose body gets it for its parameters."""

    def __init__(self, body, components=2):
        super().__init__()
        self.body = body
        self.loc, self.raw = (nn.Parameter(torch.tensor(0.3)) for _ in range(2))
        self.mu, self.logits = (
            nn.Parameter(torch.linspace(-1.0, 0.7, components)) for _ in range(2)
        )

    def forward(self):
        self.body(self)


def batch():
    return pyro.plate("batch", B, dim=-2)


def pixels():
    return pyro.plate("pixel", D, dim=-1)


def prior(p, loc=None, name="theta"):
    return pyro.sample(name, dist.Normal(p.loc if loc is None else loc, 1.0))


def assign(p, name="z", logits=None, **infer):
    law = dist.Categorical(logits=p.logits if logits is None else logits)
    return pyro.sample(name, law, infer={**SUM_OUT, **infer})


def emit(p, mean, x=X, name="x"):
    return pyro.sample(name, dist.Normal(mean, p.raw.exp()), obs=x)


def normal_guide(p):
    with batch():
        pyro.sample("theta", dist.Normal(p.loc * X.mean(1, keepdim=True), p.raw.exp()))


def mixture(p):
    with batch():
        theta = prior(p)
        with pixels():
            emit(p, theta + p.mu[assign(p)])


def in_batch(body):
    def program(p):
        with batch():
            body(p)

    return program


def drawing(law, **infer):
    return in_batch(lambda p: pyro.sample("theta", law(p), infer=infer))
