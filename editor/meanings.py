"""What the words of the language mean, in a line each; docs/language.md says it in full.

A test holds every form here to be one of that page, and every word of the language to have a meaning.
"""

from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """How a statement is written, and what it does."""

    form: str
    says: str


STATEMENTS: Final = {
    "param": Meaning(
        "param NAME [secret] [= DEFAULT]",
        "A value that is given when the script is started; without a default it must be given.",
    ),
    "use": Meaning('use "FILE"', "Makes the flows of another script known; the path begins at this script."),
    "call": Meaning(
        "call [all] NUMBER [from ID] [named TEXT] [withheld] [diverted from NUMBER] [ring DURATION] "
        "[notify URL] [as NAME] { … }",
        "Rings NUMBER (with `all`, each of a list). As a script's head it makes the script's own call, "
        "and the script goes on when it is answered. Elsewhere it places another leg, and runs the block "
        "on it while the script goes on; a leg with a name stays up after its block.",
    ),
    "start call": Meaning("start call … as NAME", "Places another leg, for the script to do things with it."),
    "inbound": Meaning("inbound NUMBER [notify URL]", "The script runs for calls that come in to NUMBER."),
    "inbound sms": Meaning(
        "inbound sms NUMBER [keyword WORD] [notify URL]",
        "The script runs for messages that come in to NUMBER, and begin with WORD. `message` is the text, "
        "`keyword` its first word.",
    ),
    "answer": Meaning("answer", "Answers the call that came in."),
    "reject": Meaning(
        "reject [busy | declined | unavailable | unknown | STATUS]",
        "Turns the call that came in away, and ends it.",
    ),
    "play": Meaning(
        "play AUDIO [early] [from DURATION] [speed N] [until TONES] [times N | forever] [as NAME] "
        "[notify URL]",
        "Plays an announcement, a URL or a name in the media library, and waits for its end.",
    ),
    "start play": Meaning("start play …", "Plays in the background, until `stop play`."),
    "stop play": Meaning("stop play", "Ends what plays in the background."),
    "pause play": Meaning("pause play [as NAME]", "What is heard stands still; NAME is where in the sound."),
    "resume play": Meaning("resume play", "What stands still goes on."),
    "skip": Meaning(
        "skip [back | to] DURATION",
        "Goes to another place in what is heard: on, back, or so long after the beginning.",
    ),
    "speed": Meaning(
        "speed up | down | N",
        "What is heard goes on faster or slower, at the same pitch: N is from 0.5 to 2.",
    ),
    "say": Meaning(
        "say TEXT [early] [voice NAME] [from DURATION] [speed N] [until TONES] [as NAME] [notify URL]",
        "Speaks TEXT, and waits for its end.",
    ),
    "record": Meaning(
        "record [as NAME] [within DURATION] [for DURATION] [until TONES] [silence DURATION] [beep] "
        "[notify URL]",
        "Records, and waits for the end: by default an hour, the key `#`, or 5 s of silence. NAME has "
        "`.url`, `.duration` and `.reason`.",
    ),
    "start record": Meaning(
        "start record [as NAME] [notify URL]",
        "Records in the background, until `stop record` or the hang-up.",
    ),
    "stop record": Meaning(
        "stop record", "Ends the background recording, and waits until its file is complete."
    ),
    "tone": Meaning(
        "tone TONES", 'Sends tones to the far end, e.g. `"1234#"`, and waits until they are out.'
    ),
    "wait": Meaning("wait DURATION", "Pauses."),
    "wait event": Meaning(
        "wait event NAME [as NAME] [for DURATION] [else { … }]",
        "Goes on when this event comes; the name holds what came with it.",
    ),
    "on event": Meaning(
        "on event NAME [as NAME] { … }",
        "For the rest of this block, runs when this event comes and no statement waits for it.",
    ),
    "signal": Meaning(
        "signal NAME [with { … }] [to CALL]",
        "Sends an event to this call, or to another one of the same key.",
    ),
    "wait call": Meaning(
        "wait call LEG [as NAME] [for DURATION] [else { … }]",
        "Goes on when another leg is over. NAME has `.reason`, `.seconds`, `.status` and `.given`.",
    ),
    "wait tone": Meaning(
        "wait tone TONES [fresh] [as NAME] [for DURATION] [notify URL] [else { … }]",
        "Goes on when one of TONES is pressed. NAME is the tone, or `none` if the time passed; `else` runs "
        "then.",
    ),
    "start tones": Meaning("start tones notify URL", "Posts every tone to URL, until `stop tones`."),
    "stop tones": Meaning("stop tones [notify URL]", "Ends the posting of tones."),
    "gather": Meaning(
        "gather NAME [secret] digits N[..M] [until TONES] [for DURATION] [between DURATION] "
        "[within DURATION] [tries N] [counting NAME] [fresh] [notify URL] { prompt }",
        "Collects digits while the block is played; `keys N..M` collects stars and the like too. NAME is "
        "the digits as a text, or `none`. By default: 10 s for the first key, 5 s between keys, 3 tries.",
    ),
    "menu": Meaning(
        "menu [as NAME] [tries N] [counting NAME] [for DURATION] [between DURATION] [within DURATION] "
        "[fresh] { prompt { … } TONES { … } … timeout { … } otherwise { … } }",
        "Plays the prompt, takes one key (or several in a row), and runs its branch. "
        "By default: 10 s, 3 tries.",
    ),
    "prompt": Meaning("prompt { … }", "What is played before the key; a key cuts it short."),
    "timeout": Meaning("timeout { … }", "Runs when no key came in time; the prompt comes again."),
    "otherwise": Meaning("otherwise { … }", "Runs for a key that has no branch; the prompt comes again."),
    "conference": Meaning(
        "conference NAME [named TEXT] [moderator NUMBER] [waiting] [most N] [speaking] [notify URL]",
        "Creates a conference, and gives NAME its ID. With `named`, it is the one that has this name, and is "
        "created where there is none.",
    ),
    "join": Meaning(
        "join CONF [as moderator] [waiting] [alone] [muted] [deaf] [coaching WHO] [most N] "
        "[within DURATION] [for DURATION] [as NAME] [notify URL]",
        "Puts this leg into a conference, and waits until it leaves. CONF is what `conference` gave, or a "
        "name: who comes first makes the conference. NAME holds why it is in it no more.",
    ),
    "start join": Meaning("start join", "Puts this leg into a conference, and goes on at once."),
    "leave": Meaning("leave CONF", "Takes this leg out of a conference."),
    "end": Meaning("end CONF", "Ends a conference; whoever is in it goes on with its own script."),
    "in": Meaning("in CONF { … }", "Queues statements on the conference itself."),
    "connect": Meaning(
        "connect LEG [, LEG …] [early] [for DURATION] [as NAME] [else { … }]",
        "Lets this leg and another hear each other, until either ends or the time is over; of several legs, "
        "the first that can be connected. NAME has `.reason`, `.seconds` and `.status`.",
    ),
    "connect to": Meaning(
        "connect to [all] NUMBER [from ID] [ring DURATION] [notify URL] [early] [for DURATION] [as NAME] "
        "[else { … }]",
        "Calls NUMBER and connects it with this leg; of several (`all`), the first who answers.",
    ),
    "queue": Meaning(
        "queue NAME [for DURATION] [as NAME] [notify URL] [{ … }]",
        "Waits in a queue until somebody serves it, and until that talk is over; the block runs again and "
        "again until then. NAME has `.place`, `.waited`, `.expected`, and then `.reason` and `.seconds`.",
    ),
    "serve": Meaning(
        "serve NAME [within DURATION] [for DURATION] [as NAME] [notify URL] [else { … }]",
        "Takes the next one who waits in a queue, and talks until either leaves.",
    ),
    "give": Meaning(
        "give VALUE", "Tells the script that placed this leg something: `.given` of what came of it."
    ),
    "transfer": Meaning(
        "transfer NUMBER [as NAME]", "Hands the call over to NUMBER, and does not come back."
    ),
    "mute": Meaning(
        "mute [LEG]",
        "Keeps what a leg says from the others. `mute WHO in CONF`: what members of a conference say.",
    ),
    "unmute": Meaning("unmute [LEG]", "Lets what a leg says be heard again."),
    "deafen": Meaning("deafen WHO in CONF", "Lets members of a conference hear the others no more."),
    "undeafen": Meaning("undeafen WHO in CONF", "Lets them hear the others again."),
    "kick": Meaning("kick WHO from CONF", "Puts members out of a conference; their scripts go on."),
    "coach": Meaning(
        "coach WHO in CONF",
        "Lets one member of a conference alone hear this leg. `coach others in CONF`: all hear it again.",
    ),
    "on join": Meaning(
        "on join [as NAME] { … }", "Within `in CONF { … }`: runs whenever somebody comes into the conference."
    ),
    "on leave": Meaning("on leave [as NAME] { … }", "Within `in CONF { … }`: runs whenever somebody leaves."),
    "on speech": Meaning(
        "on speech [as NAME] { … }",
        "Within `in CONF { … }`: runs whenever somebody begins or ends to speak, in a conference that is "
        "made with `speaking`.",
    ),
    "hangup": Meaning(
        "hangup [LEG]", "Hangs up; what stands after it is dropped. With LEG, ends that leg and goes on."
    ),
    "sms": Meaning(
        "sms NUMBER TEXT [via OPERATOR] [notify URL]",
        "Sends a message, and goes on; URL is told how it fares, and what is replied.",
    ),
    "notify": Meaning(
        "notify URL [with { … }]", "Posts fields to an application, in order, at least once; does not wait."
    ),
    "ask": Meaning(
        "ask URL [with { … }] as NAME [for DURATION] [else { … }]",
        "Posts fields, and waits for the JSON that is answered; NAME is its value, or `none` after DURATION "
        "(10 s by default), and `else` runs.",
    ),
    "follow": Meaning(
        "follow URL [with { … }] [for DURATION] [else { … }]",
        "Posts fields, takes the answer as a script, checks it, and runs it here as a block.",
    ),
    "let": Meaning("let NAME = EXPRESSION", "Gives NAME a value."),
    "if": Meaning("if CONDITION { … } [else if … { … }] [else { … }]", "Runs the first block that is meant."),
    "repeat": Meaning("repeat N times { … }", "Runs the block N times; something in it must take time."),
    "for": Meaning("for NAME in LIST { … }", "Runs the block once for each item."),
    "again": Meaning("again", "Begins the menu of this branch anew."),
    "back": Meaning("back", "Begins the menu anew that is around that of this branch."),
    "until": Meaning(
        "until TONES [as NAME] { … }",
        "Runs the block, and leaves it when one of TONES is pressed that no statement in it waits for.",
    ),
    "until event": Meaning(
        "until event NAME [as NAME] { … }",
        "Runs the block, and leaves it when the event comes and no statement in it waits for it.",
    ),
    "break": Meaning("break", "Leaves the innermost loop."),
    "flow": Meaning("flow NAME(params) { … }", "A named piece of script; it sees its parameters only."),
    "do": Meaning("do NAME(values) [as NAME]", "Runs a flow here, on this leg. NAME is what it returns."),
    "return": Meaning("return [VALUE]", "Leaves the flow, which has VALUE."),
    "clock": Meaning("clock [ZONE] as NAME", "What a clock shows in a time zone; in UTC without one."),
    "pick": Meaning("pick LIST as NAME", "An item of a list, or a number of `N..M`, by chance."),
    "on hangup": Meaning(
        "on hangup { … }", "Runs once after the leg has ended, for 30 s at most; it holds no media."
    ),
    "on tone": Meaning(
        "on tone TONES [as NAME] { … }",
        "For the rest of this block, runs when one of TONES comes that no statement waits for.",
    ),
    "start": Meaning("start { … }", "Runs a block beside the script on this leg; it ends with the leg."),
    "stay": Meaning(
        "stay [for DURATION]", "Keeps the leg up and runs what is queued through REST, until the hang-up."
    ),
}
"""The statements, by the words that they begin with; and the branches of a menu."""

CLAUSES: Final = {
    "event": "`wait event NAME`, `on event NAME`: an event of one's own, which `signal` sends.",
    "to": "`signal … to CALL`: the ID of the call that the event is for.",
    "all": "`call all LIST`: places a leg for each number of a list.",
    "early": "`early`: before the answer; it does not answer the call.",
    "alone": "`alone`: the leg does not bring in a moderator who waits for the first other member.",
    "any": "`any`: every key there is.",
    "as": "`as NAME`: the name that the result, or the leg, is given.",
    "beep": "`beep`: sounds a beep first.",
    "between": "`between DURATION`: how long each key after the first may take; 5 s by default.",
    "busy": "`reject busy`: the caller hears that the line is busy.",
    "counting": "`counting NAME`: NAME is the number of the try, from 1.",
    "coaching": "`coaching WHO`: nobody but WHO hears the leg, which hears all.",
    "deaf": "`deaf`: the leg is heard, and hears nobody.",
    "declined": "`reject declined`: the caller is told that the call was declined.",
    "digits": "`digits N` or `digits N..M`: how many digits there must be.",
    "diverted": "`diverted from NUMBER`: the callee is told that NUMBER sends the call on.",
    "else": "`else { … }`: runs otherwise: where the condition is false, or the time has passed.",
    "for": "`for DURATION`: the longest that it may take.",
    "forever": "`start play … forever`: it is repeated until something ends it.",
    "fresh": "`fresh`: forgets the keys that were pressed before.",
    "down": "`speed down`: slower by a quarter.",
    "from": "`call … from ID`: the number that the callee is shown. `play … from DURATION`: where it begins.",
    "if": "`else if CONDITION { … }`: one more condition.",
    "in": "`for NAME in LIST`: the list that is gone through.",
    "keyword": "`keyword WORD`: only messages that begin with this word.",
    "keys": "`keys N` or `keys N..M`: how many keys there must be, stars and the like among them.",
    "moderator": "`moderator NUMBER`, `as moderator`: the conference ends when its moderator leaves.",
    "most": "`most N`: how many legs the conference holds; on a `join`, the leg is one of N at most.",
    "muted": "`muted`: the leg hears, and is not heard.",
    "named": "`call … named TEXT`: the name that the callee is shown. "
    "`conference … named TEXT`: what scripts of the same key find the conference by.",
    "notify": "`notify URL`: where callbacks about this statement are posted.",
    "others": "`others`: everybody in the conference but this leg.",
    "ring": "`ring DURATION`: how long it rings at most; 60 s by default.",
    "secret": "`secret`: it must reach no callback, no message and no trace; the checker holds that.",
    "silence": "`silence DURATION`: so much silence ends the recording.",
    "speaking": "`speaking`: the conference tells who speaks.",
    "speech": "`on speech { … }`: somebody begins or ends to speak.",
    "times": "`times N`: how often.",
    "tries": "`tries N`: how often the caller is asked.",
    "unavailable": "`reject unavailable`: the caller is told that nobody can be reached now.",
    "unknown": "`reject unknown`: the caller is told that there is no such number.",
    "up": "`speed up`: faster by a quarter.",
    "until": '`until TONES`: a tone that ends it, e.g. `"1,2,#"`.',
    "via": "`via OPERATOR`: the operator whose gateway takes the message.",
    "voice": "`voice NAME`: who speaks.",
    "waiting": "`conference … waiting`: the moderator is brought in with the first other member. "
    "`join … waiting`: the leg stays outside until somebody is in who does not wait.",
    "withheld": "`withheld`: the callee is not shown who calls.",
    "within": "`within DURATION`: how long it may take until what is waited for has come: "
    "all tries together, the first word, or that the leg is let in.",
    "with": "`with { key: value }`: the fields that are posted.",
}
"""The words of clauses."""

WORDS: Final = {
    "and": "`a and b`: both are true.",
    "or": "`a or b`: one of them is true.",
    "not": "`not a`, `a not in b`.",
    "in": "`a in b`: an item of a list, a part of a text, or a key of a map.",
    "true": "`true`, `false`: what conditions are.",
    "false": "`true`, `false`: what conditions are.",
    "none": "`none`: what has no value: no key in time, no answer.",
}
"""The words of expressions."""

FUNCTIONS: Final = {
    "length": "the characters of a text, the items of a list, the entries of a map",
    "upper": "a text in capitals",
    "lower": "a text in small letters",
    "digits": "only the digits 0 to 9 of a text or number, as a text",
    "spell": "a text with a blank between its characters, so that it is read one by one",
    "number": "the number that a text says; a fault if it says none",
    "text": "any value as a text, as interpolation does",
    "round": "the nearest whole number; halves go away from zero",
}
"""What `function(x)` comes to."""

BOUND: Final = {
    "call_id": "the call's ID",
    "caller": "the number that calls, or texts",
    "called": "the number that is called, or texted",
    "answered_at": "when the call was answered (ISO 8601, UTC); `none` before",
    "duration": "how long the call has been up",
}
"""What every run binds."""

BROUGHT: Final = {
    "caller_name": "what the caller is called, for people to read; `none` where nobody says so",
    "diverted_from": "the number that sent the call on to ours; `none` where none did",
    "keyword": "the first word of the message, in capitals and without marks, as keywords are compared",
    "message": "the text of the message, as it was written",
}
"""What a run binds besides that a message began, or a call that came in."""
