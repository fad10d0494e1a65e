"""The interpreter of netlists, as LLVM reads it.

Registers lie side by side in a file, each `block` words long; those of the inputs come first. `run` copies the chosen rows of the
table into the input registers, run after run, until a block is full, and keeps in `inside` which bits count. `execute` then makes
all steps on the block, and adds up on how many of its points each output wire is 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from string import Template

from bnnverify.encoders.netlist.backends.llvm import ternary

UNROLLED = 4  # vectors per turn of a step's loop


def source(lanes: int) -> Iterator[str]:
    """Yield the module: `run` fills the input registers block by block, `execute` makes all steps on one and counts."""
    vector = f"<{lanes} x i64>"
    names = {"V": vector, "L": lanes, "turn": lanes * UNROLLED, "zeros": f"<{lanes} x i32> zeroinitializer"}
    cases = range(0, 256, 2)  # tables that are 0 for three zeros
    yield Template(_EXECUTE).substitute(names, cases=" ".join(f"i32 {t}, label %t{t}" for t in cases))
    for table in cases:
        yield f"t{table}:\n  %i{table} = phi i64 [0, %decode], [%j{table}, %t{table}]"
        for place in range(UNROLLED):
            yield from _table(table, f"{table}.{place}", place * lanes, lanes)
        yield f"  %j{table} = add i64 %i{table}, {lanes * UNROLLED}"
        yield f"  %m{table} = icmp ult i64 %j{table}, %block\n  br i1 %m{table}, label %t{table}, label %next"
    yield Template(_COUNT).substitute(names)
    yield Template(_RUNS).substitute(names)


def _table(table: int, name: str, offset: int, lanes: int) -> Iterator[str]:
    """Yield one vector of one step: to = table(a, b, c)."""
    vector = f"<{lanes} x i64>"
    yield f"  %o{name} = add i64 %i{table}, {offset}"
    for operand in "abc":
        yield f"  %p{operand}{name} = getelementptr i64, ptr %{operand}, i64 %o{name}"
        yield f"  %{operand}{name} = load {vector}, ptr %p{operand}{name}, align 64"
    yield from ternary(table, f"%v{name}", [f"%{operand}{name}" for operand in "abc"], lanes)
    yield f"  %pt{name} = getelementptr i64, ptr %to, i64 %o{name}"
    yield f"  store {vector} %v{name}, ptr %pt{name}, align 64"


_EXECUTE = """
declare $V @llvm.ctpop.v${L}i64($V)
declare $V @llvm.x86.avx512.pternlog.q.512($V, $V, $V, i32)
declare i64 @llvm.umin.i64(i64, i64)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define internal void @execute(ptr %steps, i64 %step.count, ptr %file, ptr %inside, i64 %block,
                              ptr %results, i64 %outputs, ptr %totals) {
entry:
  %bytes = mul i64 %block, 8
  %none = icmp eq i64 %step.count, 0
  br i1 %none, label %count, label %decode
decode:
  %s = phi i64 [0, %entry], [%s.next, %next]
  %step = getelementptr [5 x i32], ptr %steps, i64 %s
  %table = load i32, ptr %step
  %to.at = getelementptr i32, ptr %step, i64 1
  %a.at = getelementptr i32, ptr %step, i64 2
  %b.at = getelementptr i32, ptr %step, i64 3
  %c.at = getelementptr i32, ptr %step, i64 4
  %to.32 = load i32, ptr %to.at
  %a.32 = load i32, ptr %a.at
  %b.32 = load i32, ptr %b.at
  %c.32 = load i32, ptr %c.at
  %to.64 = zext i32 %to.32 to i64
  %a.64 = zext i32 %a.32 to i64
  %b.64 = zext i32 %b.32 to i64
  %c.64 = zext i32 %c.32 to i64
  %to.off = mul i64 %to.64, %bytes
  %a.off = mul i64 %a.64, %bytes
  %b.off = mul i64 %b.64, %bytes
  %c.off = mul i64 %c.64, %bytes
  %to = getelementptr i8, ptr %file, i64 %to.off
  %a = getelementptr i8, ptr %file, i64 %a.off
  %b = getelementptr i8, ptr %file, i64 %b.off
  %c = getelementptr i8, ptr %file, i64 %c.off
  switch i32 %table, label %next [ $cases ]"""

_COUNT = """next:
  %s.next = add i64 %s, 1
  %more = icmp ult i64 %s.next, %step.count
  br i1 %more, label %decode, label %count
count:
  %k = phi i64 [0, %entry], [0, %next], [%k.next, %counted]
  %result = getelementptr [2 x i32], ptr %results, i64 %k
  %invert.at = getelementptr i32, ptr %result, i64 1
  %register.32 = load i32, ptr %result
  %invert.32 = load i32, ptr %invert.at
  %invert.64 = sext i32 %invert.32 to i64
  %invert.0 = insertelement $V poison, i64 %invert.64, i32 0
  %invert = shufflevector $V %invert.0, $V poison, $zeros
  %register.64 = zext i32 %register.32 to i64
  %register.off = mul i64 %register.64, %bytes
  %register = getelementptr i8, ptr %file, i64 %register.off
  %total.at = getelementptr $V, ptr %totals, i64 %k
  %total = load $V, ptr %total.at, align 8
  br label %words
words:
  %z = phi i64 [0, %count], [%z.next, %words]
  %sum = phi $V [%total, %count], [%sum.next, %words]
  %z.at = getelementptr i64, ptr %register, i64 %z
  %plain = load $V, ptr %z.at, align 64
  %value = xor $V %plain, %invert
  %inside.at = getelementptr i64, ptr %inside, i64 %z
  %mask = load $V, ptr %inside.at, align 64
  %met = and $V %value, %mask
  %ones = call $V @llvm.ctpop.v${L}i64($V %met)
  %sum.next = add $V %sum, %ones
  %z.next = add i64 %z, $L
  %z.more = icmp ult i64 %z.next, %block
  br i1 %z.more, label %words, label %counted
counted:
  store $V %sum.next, ptr %total.at, align 8
  %k.next = add i64 %k, 1
  %k.more = icmp ult i64 %k.next, %outputs
  br i1 %k.more, label %count, label %end
end:
  ret void
}"""

_RUNS = """
define void @run(ptr %rows, ptr %choice, i64 %width, ptr %starts, ptr %stops, i64 %runs, i64 %inputs,
                 ptr %steps, i64 %step.count, ptr %file, ptr %inside, i64 %block, ptr %results, i64 %outputs, ptr %totals) {
entry:
  %none = icmp eq i64 %runs, 0
  br i1 %none, label %end, label %run
run:
  %r = phi i64 [0, %entry], [%r.next, %run.done]
  %filled = phi i64 [0, %entry], [%filled.next, %run.done]
  %start.at = getelementptr i64, ptr %starts, i64 %r
  %stop.at = getelementptr i64, ptr %stops, i64 %r
  %start = load i64, ptr %start.at
  %stop = load i64, ptr %stop.at
  %first = lshr i64 %start, 6
  %reach = add i64 %stop, 63
  %last = lshr i64 %reach, 6
  %some = icmp ult i64 %start, %stop
  br i1 %some, label %part, label %run.done
part:
  %from = phi i64 [%first, %run], [%to, %part.done]
  %at = phi i64 [%filled, %run], [%at.next, %part.done]
  %left = sub i64 %last, %from
  %room = sub i64 %block, %at
  %take = call i64 @llvm.umin.i64(i64 %left, i64 %room)
  %bytes = mul i64 %take, 8
  %no.inputs = icmp eq i64 %inputs, 0
  br i1 %no.inputs, label %edges, label %copy
copy:
  %i = phi i64 [0, %part], [%i.next, %copy]
  %i.runs = mul i64 %i, %runs
  %i.r = add i64 %i.runs, %r
  %row.at = getelementptr i32, ptr %choice, i64 %i.r
  %row.32 = load i32, ptr %row.at
  %row = sext i32 %row.32 to i64
  %row.off = mul i64 %row, %width
  %source.off = add i64 %row.off, %from
  %source = getelementptr i64, ptr %rows, i64 %source.off
  %i.off = mul i64 %i, %block
  %target.off = add i64 %i.off, %at
  %target = getelementptr i64, ptr %file, i64 %target.off
  call void @llvm.memcpy.p0.p0.i64(ptr %target, ptr %source, i64 %bytes, i1 0)
  %i.next = add i64 %i, 1
  %i.more = icmp ult i64 %i.next, %inputs
  br i1 %i.more, label %copy, label %edges
edges:
  %mask = getelementptr i64, ptr %inside, i64 %at
  call void @llvm.memset.p0.i64(ptr %mask, i8 -1, i64 %bytes, i1 0)
  %begins = icmp eq i64 %from, %first
  %start.bit = and i64 %start, 63
  %skip = select i1 %begins, i64 %start.bit, i64 0
  %head = shl i64 -1, %skip
  %mask.0 = load i64, ptr %mask
  %mask.1 = and i64 %mask.0, %head
  store i64 %mask.1, ptr %mask
  %to = add i64 %from, %take
  %ends = icmp eq i64 %to, %last
  %minus = sub i64 0, %stop
  %minus.bit = and i64 %minus, 63
  %drop = select i1 %ends, i64 %minus.bit, i64 0
  %tail = lshr i64 -1, %drop
  %at.end = add i64 %at, %take
  %at.last = sub i64 %at.end, 1
  %mask.last = getelementptr i64, ptr %inside, i64 %at.last
  %mask.2 = load i64, ptr %mask.last
  %mask.3 = and i64 %mask.2, %tail
  store i64 %mask.3, ptr %mask.last
  %full = icmp eq i64 %at.end, %block
  br i1 %full, label %work, label %part.done
work:
  call void @execute(ptr %steps, i64 %step.count, ptr %file, ptr %inside, i64 %block,
                     ptr %results, i64 %outputs, ptr %totals)
  br label %part.done
part.done:
  %at.next = phi i64 [%at.end, %edges], [0, %work]
  %part.more = icmp ult i64 %to, %last
  br i1 %part.more, label %part, label %run.done
run.done:
  %filled.next = phi i64 [%filled, %run], [%at.next, %part.done]
  %r.next = add i64 %r, 1
  %r.more = icmp ult i64 %r.next, %runs
  br i1 %r.more, label %run, label %rest
rest:
  %nothing = icmp eq i64 %filled.next, 0
  br i1 %nothing, label %end, label %last.block
last.block:
  %unused = getelementptr i64, ptr %inside, i64 %filled.next
  %unused.words = sub i64 %block, %filled.next
  %unused.bytes = mul i64 %unused.words, 8
  call void @llvm.memset.p0.i64(ptr %unused, i8 0, i64 %unused.bytes, i1 0)
  call void @execute(ptr %steps, i64 %step.count, ptr %file, ptr %inside, i64 %block,
                     ptr %results, i64 %outputs, ptr %totals)
  br label %end
end:
  ret void
}"""
