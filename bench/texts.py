"""The scripts and cases that are measured with."""

ORDER = """\
param buyer
param order
param app = "https://shop.example/ringful"

call buyer ring 30s notify "{app}/call"

menu tries 3 for 8s {
    prompt { say "Order {order} is ready to ship. To approve it press 1. To cancel it press 2." }
    "1" {
        notify "{app}/order" with { order: order, outcome: "approved" }
        say "Thank you. It ships today."
    }
    "2" {
        notify "{app}/order" with { order: order, outcome: "cancelled" }
        say "It will not be shipped."
    }
    otherwise { say "That is not one of the choices." }
}
hangup
"""
"""A script as people write them."""

ORDER_CASE = """\
script order.call
param buyer = "+15125551234"
param order = "A-1001"
phone "+15125551234" {
    answer after 4s
    press "9" after 6s
    press "1" after 6s
}
---
"""

HOUR = """\
call "15125551234" notify "http://h/call"
repeat 60 times {
    say "All our operators are busy. Please hold the line." notify "http://h/say"
    play "http://h/music.wav" until "0"
    wait 1s
}
hangup
"""
"""An hour in a queue: a word and some music every minute."""

HOUR_CASE = """\
script hour.call
sound "http://h/music.wav" 55.4s
phone "15125551234" {
    answer after 1s
}
---
"""

PURE_TURNS = 300
PURE_WAITS = 20
PURE = f"""\
let sum = 0
repeat {PURE_WAITS} times {{
    repeat {PURE_TURNS} times {{
        let sum = sum + 3 * 2
        if sum > 1000 and not (sum == 7) {{
            let said = "It is {{sum}} now."
        }} else {{
            let said = none
        }}
    }}
    wait 1s
}}
"""
"""Statements that only work things out; a wait now and then keeps to the step budget."""

PLAYING_TURNS = 200
PLAYING = f"""\
call "15125551234" notify "http://h/call"
repeat {PLAYING_TURNS} times {{
    play "http://h/a.wav" notify "http://h/play"
    notify "http://h/turn" with {{ turn: "one" }}
    wait tone "1" for 1s
}}
hangup
"""
"""Statements that each leave the run and come back by events."""

ANSWERED = """\
phone "*" {
    answer after 1s
}
"""

IDLE = """\
param number
call number notify "http://h/call"
play "http://h/welcome.wav" notify "http://h/play"
wait tone "1" for 1h
hangup
"""
"""A call that was answered, has heard its prompt, and waits for a key."""


def long_script(lines: int) -> str:
    """Make a script of about *lines* lines out of what people write."""
    head, _, rest = ORDER.partition("menu ")
    body = "menu " + rest.removesuffix("hangup\n")
    turns = max(1, (lines - head.count("\n")) // body.count("\n"))
    return head + body * turns + "hangup\n"


def inline(script: str) -> str:
    """Give *script* as it stands in a case."""
    inner = "".join(f"    {line}\n" for line in script.splitlines())
    return f"script {{\n{inner}}}\n"
