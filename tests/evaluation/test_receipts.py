"""A receipt says which code computed a result, and nothing that changes from one start of a run to the next."""

from runs import request

from reverie.core.source import commit
from reverie.evaluation import make_plan
from reverie.evaluation.blocks import blocks_of
from reverie.evaluation.receipts import receipt_of


def test_a_receipt_holds_the_commit_and_is_the_same_again():
    plan = make_plan(request())
    block = next(blocks_of(plan))
    receipt = receipt_of(plan, block)
    assert receipt.content["commit"] == commit()
    assert "scipy" in receipt.content["packages"]
    assert receipt.id == receipt_of(plan, block).id
