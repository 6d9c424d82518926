"""A lecture of about 45 minutes: forty slides on the numbers from 1 to 40, about 10 000 Chinese characters, each
sentence another. Written for this project.

PYTHONPATH=. python tests/lecture.py OUT.pptx [SLIDES]
"""

from __future__ import annotations

import sys
from pathlib import Path

import decks

OPENINGS = (
    "现在我们来认识{n}这个数，请大家先在心里把它默念一遍。",
    "这一页的主角是{n}，我们从最简单的地方开始看它。",
    "下面轮到{n}了，看看它身上藏着哪些有意思的规律。",
    "接下来请看{n}，它和前面的数有相同的地方，也有自己的脾气。",
)
CLOSINGS = (
    "关于{n}就讲到这里，请大家把其中的一个算式抄在本子上。",
    "请合上书想一想，除了刚才说的这些，{n}还有没有别的特点。",
    "好，记住{n}的这几个性质，后面做题的时候会用到它们。",
    "如果你还想多了解{n}，可以在生活里找一找它出现的地方。",
)


def told(n: int) -> str:
    """What there is to say of a number."""
    divisors = [d for d in range(1, n + 1) if n % d == 0]
    rest = sum(divisors) - n
    rows = [OPENINGS[n % 4].format(n=n)]
    rows.append(f"{n}是一个{'偶' if n % 2 == 0 else '奇'}数，它前面的数是{n - 1}，后面的数是{n + 1}，加起来是{3 * n}。")
    if len(divisors) == 2:
        rows.append(f"除了一和它自己，没有别的整数能整除{n}，这样的数我们叫做质数。")
    else:
        rows.append(f"能够整除{n}的数一共有{len(divisors)}个，从小到大排列，它们是{'、'.join(map(str, divisors))}。")
    if n > 1:
        kind = (
            "刚好等于它自己，这样难得的数叫做完全数"
            if rest == n
            else f"等于{rest}，比它自己{'小' if rest < n else '大'}"
        )
        rows.append(f"把{n}的因数当中比它小的那些加起来，结果{kind}。")
    rows.append(f"{n}乘以它自己得到{n * n}，再乘一次就得到{n**3}，可见一个数的立方长得有多快。")
    rows.append(f"从一开始，一直加到{n}，和是{n * (n + 1) // 2}，这个结果可以用首尾相加的办法很快算出来。")
    rows.append(f"用{n}去除以七，商是{n // 7}，余数是{n % 7}，所以{n}天以后是星期几，只要看这个余数就够了。")
    rows.append(CLOSINGS[n % 4].format(n=n))
    return "".join(rows)


def slides(count: int = 40) -> list[tuple[str, str, str]]:
    """Title, body and notes of each slide."""
    return [
        (f"数字 {n}", f"{n} × {n} = {n * n}\n1 + … + {n} = {n * (n + 1) // 2}", told(n)) for n in range(1, count + 1)
    ]


if __name__ == "__main__":
    decks.pptx(Path(sys.argv[1]), slides(int(sys.argv[2]) if len(sys.argv) > 2 else 40))
    sys.stdout.write(f"{sum(len(told(n)) for n in range(1, 41))} characters\n")
