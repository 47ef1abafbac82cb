"""Counts conditions of Cython sources: a call is put round each one, in the tree that Cython's parser has made.

The call is `dcmveil_branch(place, condition)` of seen.h.in, which notes the outcome and returns it. Places are numbered
through all modules; an inline function of a .pxd has the same ones in every module that it is compiled into. What a
condition is says the head of this package. What Cython makes of a source (reference counts, arguments, errors) is no
part of the tree, and so never counts.
"""

# ruff: noqa: N802  the names of methods are those of Cython's classes
from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from Cython.Compiler import ExprNodes, Nodes
from Cython.Compiler.Main import Context
from Cython.Compiler.TreeFragment import parse_from_strings
from Cython.Compiler.Visitor import VisitorTransform

__all__ = ["Place", "Places", "count_conditions", "counted"]

FUNCTION = "dcmveil_branch"
DECLARATION = 'cdef extern from *:\n    bint {name} "dcmveil_branch"(int place, bint outcome) noexcept nogil\n'
CONSTANTS = (ExprNodes.BoolNode, ExprNodes.IntNode)
PLAIN = (ExprNodes.NameNode, ExprNodes.AttributeNode, ExprNodes.IndexNode, ExprNodes.NumBinopNode, ExprNodes.IntNode)
TRUTHS = (ExprNodes.PrimaryCmpNode, ExprNodes.NotNode)


class Place(NamedTuple):
    """Where a condition stands: the name of the file, and line and column as Cython gives them."""

    file: str
    line: int
    column: int


class Places:
    """All conditions, numbered. Those of a file are in the order of its tree, which is the same at each parsing."""

    def __init__(self) -> None:
        self.found: list[Place] = []
        self._numbers: dict[tuple[str, int], int] = {}

    def number(self, place: Place, ordinal: int) -> int:
        """The number of a condition, the `ordinal`th one of its file."""
        number = self._numbers.setdefault((place.file, ordinal), len(self.found))
        if number == len(self.found):
            self.found.append(place)
        assert self.found[number] == place, f"{place} has been {self.found[number]}"
        return number


def count_conditions(places: Places) -> None:
    """From now on every source that this process compiles gets the calls."""
    parse: Callable[..., Any] = Context.parse

    def parse_and_count(self: Context, source: Any, scope: Any, pxd: bool, full_module_name: str) -> Any:
        tree = parse(self, source, scope, pxd, full_module_name)
        path = Path(source.filename)
        return counted(tree, path.name, bool(pxd), places) if path.parent.name == "dcmveil" else tree

    Context.parse = parse_and_count


def counted(tree: Any, file: str, pxd: bool, places: Places) -> Any:
    """The tree of a source with the calls, and with the declaration of what is called."""
    name = f"{FUNCTION}_pxd" if pxd else FUNCTION  # a .pyx sees what its .pxd declares
    _Counter(places, file, name).visit(tree)
    declaration = parse_from_strings(name, DECLARATION.format(name=name), level="module_pxd" if pxd else None).body
    tree.body = Nodes.StatListNode(tree.body.pos, stats=[declaration, tree.body])
    return tree


class _Counter(VisitorTransform):  # type: ignore[misc]
    """Goes through the tree of one file."""

    def __init__(self, places: Places, file: str, name: str) -> None:
        super().__init__()
        self.places = places
        self.file = file
        self.name = name
        self.ordinal = 0

    # A condition, and what it is made of.

    def _call(self, at: Any, outcome: Any) -> Any:
        """dcmveil_branch(place, outcome)"""
        place = self.places.number(Place(self.file, *at[1:]), self.ordinal)
        self.ordinal += 1
        number = ExprNodes.IntNode(at, value=str(place))
        return ExprNodes.SimpleCallNode(at, function=ExprNodes.NameNode(at, name=self.name), args=[number, outcome])

    def _condition(self, node: Any) -> Any:
        """Each operand of and, or, not is one."""
        if isinstance(node, ExprNodes.BoolBinopNode):
            node.operand1 = self._condition(node.operand1)
            node.operand2 = self._condition(node.operand2)
        elif isinstance(node, ExprNodes.NotNode):
            node.operand = self._condition(node.operand)
        elif not isinstance(node, CONSTANTS):
            self.visitchildren(node)
            return self._call(node.pos, _truth(node))
        return node

    # Where conditions are.

    def visit_Node(self, node: Any) -> Any:
        self.visitchildren(node)
        return node

    def visit_IfClauseNode(self, node: Any) -> Any:
        node.condition = self._condition(node.condition)
        self.visitchildren(node, ["body"])
        return node

    def visit_WhileStatNode(self, node: Any) -> Any:
        node.condition = self._condition(node.condition)
        self.visitchildren(node, ["body", "else_clause"])
        return node

    def visit_CondExprNode(self, node: Any) -> Any:
        node.condition = self._condition(node.condition)
        self.visitchildren(node, ["true_val", "false_val"])
        return node

    def visit_ForInStatNode(self, node: Any) -> Any:
        return self._loop(node)

    def visit_ForFromStatNode(self, node: Any) -> Any:
        return self._loop(node)

    def _loop(self, node: Any) -> Any:
        """True at each turn, False when there are no more."""
        self.visitchildren(node)
        ordinal = self.ordinal
        node.body = self._first(node.pos, True, node.body)
        self.ordinal = ordinal  # the same place
        node.else_clause = self._first(node.pos, False, node.else_clause)
        return node

    def _first(self, at: Any, outcome: bool, then: Any) -> Any:
        call = Nodes.ExprStatNode(at, expr=self._call(at, ExprNodes.BoolNode(at, value=outcome)))
        return Nodes.StatListNode(at, stats=[call, then] if then is not None else [call])

    def visit_BoolBinopNode(self, node: Any) -> Any:
        """One whose Value is wanted: only the left operand decides anything, and it may be the result."""
        one_of_two = _stays(node.operand2, True) and _stays(node.operand2, False)  # so the whole is meant as a truth
        if not one_of_two and not _stays(node.operand1, node.operator == "or"):
            return self._chosen(node)
        node.operand1 = self._condition(node.operand1)
        node.operand2 = self.visit(node.operand2)
        return node

    def _chosen(self, node: Any) -> Any:
        """x or y as (x if x else y), and so for and: the result may be something else than true or false."""
        if not _may_be_repeated(node.operand1):
            raise NotImplementedError(f"{self.file}:{node.pos[1]}: would be evaluated twice")
        left, right = copy.deepcopy(node.operand1, {id(node.pos[0]): node.pos[0]}), self.visit(node.operand2)
        values = (left, right) if node.operator == "or" else (right, left)
        condition = self._condition(node.operand1)
        return ExprNodes.CondExprNode(node.pos, condition=condition, true_val=values[0], false_val=values[1])


def _stays(node: Any, outcome: bool) -> bool:
    """Whether a node whose truth is `outcome` has the Value 0 or 1 then, so that the call may stand for it."""
    if isinstance(node, ExprNodes.BoolBinopNode):
        last_only = (node.operator == "and") == outcome
        return _stays(node.operand2, outcome) and (last_only or _stays(node.operand1, outcome))
    return isinstance(node, TRUTHS) or (not outcome and isinstance(node, ExprNodes.NumBinopNode))


def _may_be_repeated(node: Any) -> bool:
    """Whether nothing is called in it."""
    return isinstance(node, PLAIN) and all(_may_be_repeated(getattr(node, name)) for name in node.subexprs)


def _truth(node: Any) -> Any:
    """Of a pointer, number or object."""
    if isinstance(node, TRUTHS):
        return node
    return ExprNodes.NotNode(node.pos, operand=ExprNodes.NotNode(node.pos, operand=node))
