"""Nothing is left out in silence: whatever the three systems document is said, or told as lost.

The tables hold the attributes of every verb that is said in a script at all, as the systems' own libraries
list them (twilio 9.13, @jambonz/schema 0.4, SWML 1.0.0).  Each is put on a verb: the script, or what is
told, must be another one then.
"""

import json
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

from ringful.importing.jambonz import import_jambonz
from ringful.importing.losses import ImportFault, told
from ringful.importing.swml import import_swml
from ringful.importing.twiml import import_twiml

URL = "https://h.example/x"
CALLBACK = "statusCallback statusCallbackEvent statusCallbackMethod"
RECORDED = "recordingStatusCallback recordingStatusCallbackEvent recordingStatusCallbackMethod"
MACHINES = (
    "machineDetection machineDetectionTimeout machineDetectionSpeechThreshold amdStatusCallback "
    "machineDetectionSpeechEndThreshold machineDetectionSilenceTimeout amdStatusCallbackMethod"
)
SPEECH = "hints language speechTimeout speechModel enhanced maxSpeechTime profanityFilter"

TWIML: dict[str, tuple[str, dict[str, str], str]] = {
    "Say": ("<Say{}>Hello.</Say>", {}, "voice language loop"),
    "Play": ("<Play{}>https://h.example/a.wav</Play>", {}, "loop digits"),
    "Pause": ("<Pause{}/>", {}, "length"),
    "Gather": (
        "<Gather{}><Say>Hello.</Say></Gather>",
        {"input": "dtmf", "action": "/a"},
        f"input action method timeout finishOnKey numDigits bargeIn debug actionOnEmptyResult {SPEECH} "
        "partialResultCallback partialResultCallbackMethod",
    ),
    "Record": (
        "<Record{}/>",
        {"action": "/a"},
        "action method timeout finishOnKey maxLength playBeep trim transcribe transcribeCallback "
        f"recordingConfigurationId {RECORDED}",
    ),
    "Dial": (
        "<Dial{}><Number>+15125551234</Number><Number>+15125551235</Number></Dial>",
        {"action": "/a", "record": "true"},
        "action answerOnBridge callerId events hangupOnStar method passports record recordingTrack referUrl "
        f"referMethod ringTone sequential timeLimit timeout trim recordingConfigurationId {RECORDED}",
    ),
    "Number": (
        "<Dial><Number{}>+15125551234</Number></Dial>",
        {"url": "/a"},
        f"byoc method sendDigits url {CALLBACK} {MACHINES}",
    ),
    "Sip": (
        "<Dial><Sip{}>sip:ann@h.example</Sip></Dial>",
        {"url": "/a"},
        f"method username password url sendDigits {CALLBACK} {MACHINES}",
    ),
    "Client": ("<Dial><Client{}>joe</Client></Dial>", {}, ""),
    "Conference": (
        "<Dial><Conference{}>room</Conference></Dial>",
        {"beep": "false", "startConferenceOnEnter": "false"},
        "beep coach endConferenceOnExit eventCallbackUrl jitterBufferSize maxParticipants muted region "
        "record participantLabel startConferenceOnEnter trim waitUrl waitMethod recordingConfigurationId "
        f"{CALLBACK} {RECORDED}",
    ),
    "Conference in Dial": (
        '<Dial{}><Conference beep="false">room</Conference></Dial>',
        {"action": "/a"},
        "action answerOnBridge callerId hangupOnStar method record referUrl ringTone sequential timeLimit",
    ),
    "Queue": (
        "<Dial><Queue{}>support</Queue></Dial>",
        {},
        "url method reservationSid postWorkActivitySid",
    ),
    "Queue in Dial": (
        "<Dial{}><Queue>support</Queue></Dial>",
        {"action": "/a"},
        "action callerId hangupOnStar method record timeLimit",
    ),
    "Enqueue": (
        "<Enqueue{}>support</Enqueue>",
        {"action": "/a", "waitUrl": "/w"},
        "action maxQueueSize method waitUrl waitUrlMethod workflowSid",
    ),
    "Redirect": ("<Redirect{}>/a</Redirect>", {}, "method"),
    "Reject": ("<Reject{}/>", {}, "reason"),
    "Sms": ("<Sms{}>Hello.</Sms>", {"action": "/a"}, "to from action method statusCallback"),
    "Message": ("<Message{}>Hello.</Message>", {"action": "/a"}, "to from action method statusCallback"),
    "Refer": ("<Refer{}><Sip>sip:a@h.example</Sip></Refer>", {"action": "/a"}, "action method"),
    "Connect": ('<Connect{}><Stream url="wss://h"/></Connect>', {"action": "/a"}, "action method"),
    "Recording": (
        "<Start><Recording{}/></Start>",
        {},
        f"channels track trim recordingConfigurationId {RECORDED}",
    ),
}

OF_SPEECH = "belongs to speech, which is told as a whole"
OF_CALLBACK = "belongs to a callback, whose words are told to be others"
OF_LOST = "belongs to what is lost as a whole"
VOID: dict[str, dict[str, str]] = {
    "twiml": {
        **dict.fromkeys((f"Gather.{one}" for one in SPEECH.split()), OF_SPEECH),
        "Gather.partialResultCallbackMethod": OF_SPEECH,
        "Dial.referMethod": OF_LOST,
        "Queue.method": OF_LOST,
        "Conference.waitMethod": OF_LOST,
        **{
            f"{verb}.{one}": OF_CALLBACK
            for verb in ("Number", "Sip", "Conference", "Record", "Dial", "Recording")
            for one in f"{CALLBACK} {RECORDED}".split()
            if one.endswith(("Event", "Method"))
        },
    },
    "jambonz": {
        **dict.fromkeys(("gather.bargein", "gather.minBargeinWordCount", "gather.speechTimeout"), OF_SPEECH),
        "say.disableTtsCache": "what is spoken is kept here, and sounds the same",
        "conference.statusEvents": OF_CALLBACK,
    },
    "swml": {
        "connect.call_state_events": OF_CALLBACK,
        "destination.call_state_events": OF_CALLBACK,
        "join_conference.status_callback_event": OF_CALLBACK,
        "join_conference.status_callback_method": OF_CALLBACK,
        "join_conference.recording_status_callback_event": OF_CALLBACK,
        "join_conference.recording_status_callback_method": OF_CALLBACK,
        "record_call.control_id": "one recording goes on at a time",
        "stop_record_call.control_id": "one recording goes on at a time",
        "request.save_variables": "what is read of the answer says it",
        "execute.meta": "SignalWire itself does nothing with it",
        "transfer.meta": "SignalWire itself does nothing with it",
    },
}

PHONE = {"type": "phone", "number": "+15125551234"}
JAMBONZ: dict[str, tuple[dict[str, Any], str]] = {
    "say": (
        {"text": "Hello."},
        "text instructions stream loop synthesizer earlyMedia disableTtsCache closeStreamOnEmpty",
    ),
    "play": ({"url": f"{URL}.wav"}, "url loop earlyMedia seekOffset timeoutSecs actionHook"),
    "pause": ({"length": 3}, "length"),
    "gather": (
        {"input": ["digits"], "actionHook": "/a", "maxDigits": 4},
        "actionHook input finishOnKey numDigits minDigits maxDigits interDigitTimeout speechTimeout timeout "
        "partialResultHook listenDuringPrompt dtmfBargein bargein minBargeinWordCount recognizer say play "
        "fillerNoise actionHookDelayAction",
    ),
    "dial": (
        {"target": [PHONE], "actionHook": "/a", "dtmfHook": "/d"},
        "target actionHook onHoldHook answerOnBridge callerId callerName confirmHook referHook dialMusic "
        "dtmfCapture dtmfHook headers anchorMedia codecs exitMediaPath boostAudioSignal listen stream "
        "transcribe timeLimit timeout proxy amd dub tag forwardPAI srtpEncryption",
    ),
    "conference": (
        {"name": "room", "startConferenceOnEnter": False},
        "name beep memberTag speakOnlyTo startConferenceOnEnter endConferenceOnExit endConferenceDuration "
        "maxParticipants joinMuted actionHook waitHook statusEvents statusHook enterHook record listen "
        "stream distributeDtmf",
    ),
    "redirect": ({"actionHook": "/a"}, "actionHook statusHook"),
    "enqueue": ({"name": "support"}, "name actionHook waitHook priority"),
    "dequeue": ({"name": "support"}, "name actionHook timeout beep callSid"),
    "hangup": ({}, "headers"),
    "sip:decline": ({"status": 486}, "status reason headers"),
    "dtmf": ({"dtmf": "12"}, "dtmf duration"),
    "message": (
        {"to": "+15125551234", "text": "Hello."},
        "to from text media carrier account_sid message_sid actionHook",
    ),
    "sip:refer": (
        {"referTo": "sip:a@h.example"},
        "referTo referredBy referredByDisplayName headers actionHook eventHook",
    ),
    "config": (
        {},
        "synthesizer recognizer bargeIn ttsStream record listen stream transcribe amd fillerNoise vad "
        "notifyEvents notifySttLatency reset onHoldMusic actionHookDelayAction sipRequestWithinDialogHook "
        "boostAudioSignal referHook earlyMedia autoStreamTts disableTtsCache trackTtsPlayout noiseIsolation "
        "turnTaking",
    ),
    "answer": ({}, ""),
}
TARGET = "number name tenant trunk confirmHook method headers from auth vmail overrideTo proxy"

SWML: dict[str, tuple[dict[str, Any], str]] = {
    "answer": ({}, "codecs max_duration password username"),
    "play": (
        {"url": "say:Hello."},
        "auto_answer say_gender say_language say_voice status_url url urls volume",
    ),
    "prompt": (
        {"play": "say:Hello.", "max_digits": 4},
        "digit_timeout initial_timeout max_digits play say_gender say_language say_voice speech_end_timeout "
        "speech_engine speech_hints speech_language speech_timeout status_url terminators volume",
    ),
    "record": (
        {},
        "beep direction end_silence_timeout format initial_timeout input_sensitivity max_length status_url "
        "stereo terminators",
    ),
    "record_call": (
        {},
        "beep control_id direction end_silence_timeout format initial_timeout input_sensitivity max_length "
        "status_url stereo terminators",
    ),
    "stop_record_call": ({}, "control_id"),
    "send_digits": ({"digits": "1"}, "digits"),
    "sleep": ({"duration": 1000}, "duration"),
    "hangup": ({}, "reason"),
    "connect": (
        {"to": "+15125551234"},
        "answer_on_bridge call_state_events call_state_url codecs confirm confirm_timeout encryption from "
        "headers max_duration parallel password result ringback serial serial_parallel session_timeout "
        "timeout to transfer_after_bridge username webrtc_media status_url",
    ),
    "join_conference": (
        {"name": "room", "beep": "false"},
        "beep coach end_on_exit max_participants muted name record recording_status_callback "
        "recording_status_callback_event recording_status_callback_method region result start_on_enter "
        "status_callback status_callback_event status_callback_method trim wait_url",
    ),
    "enter_queue": (
        {"queue_name": "support"},
        "queue_name status_url transfer_after_bridge wait_time wait_url",
    ),
    "send_sms": (
        {"to_number": "+15125551234", "body": "Hello."},
        "body from_number media region tags to_number",
    ),
    "sip_refer": ({"to_uri": "sip:a@h.example"}, "password status_url to_uri username"),
    "request": ({"url": URL}, "body connect_timeout headers method save_variables timeout url"),
    "execute": ({"dest": URL}, "dest meta on_return params result"),
    "transfer": ({"dest": URL}, "dest meta params"),
    "switch": ({"variable": "call.to", "case": {"1": ["hangup"]}}, "case default variable"),
}
DESTINATION = (
    "to from call_state_url call_state_events codecs confirm confirm_timeout encryption headers timeout"
)

WORDS = (
    "true",
    "false",
    "7",
    URL,
    "GET",
    "record-from-answer",
    "busy",
    "*",
    "inbound",
    "trim-silence",
    "speech",
)
VALUES: tuple[Any, ...] = (
    7,
    True,
    False,
    URL,
    f"{URL}.wav",
    "x",
    "GET",
    "+15125550009",
    "busy",
    "*",
    "listen",
    "mp3",
    "call.from",
    "speak",
    ["speech"],
    ["*2"],
    [{"hangup": {}}],
    ["hangup"],
    [{"to": "+15125550009"}, {"to": "+15125550008"}],
    [[{"to": "+15125550009"}, {"to": "+15125550008"}]],
    {"x": "1"},
    {"text": "Now."},
    {"url": f"{URL}.wav"},
    {"language": "fr-FR"},
    {"case": {"connected": ["hangup"], "completed": ["hangup"]}},
    {"2": ["hangup"]},
)


def outcome(make: Any, document: str) -> str:
    try:
        flow = make(document.encode())
    except ImportFault as fault:
        return str(fault)
    return "\n".join([flow.text, *told(flow.losses)])


def changed(kind: str, make: Any, attribute: str, base: dict[str, Any], values: tuple[Any, ...]) -> bool:
    """Say whether *attribute* makes a difference, with any of *values* that is not the usual one."""
    without = make({key: value for key, value in base.items() if key != attribute})
    return any(make({**base, attribute: value}) != without for value in values)


def twiml(template: str) -> Any:
    def make(attributes: dict[str, str]) -> str:
        said = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
        return outcome(import_twiml, f"<Response>{template.format(said)}</Response>")

    return make


def jambonz(verb: str) -> Any:
    return lambda given: outcome(import_jambonz, json.dumps([{"verb": verb, **given}]))


def swml(method: str) -> Any:
    return lambda given: outcome(import_swml, json.dumps({"sections": {"main": [{method: given}]}}))


def target(given: dict[str, Any]) -> str:
    return str(jambonz("dial")({"target": [given]}))


def destination(given: dict[str, Any]) -> str:
    return str(swml("connect")({"serial": [given]}))


def all_of_them() -> Iterator[tuple[str, str, Any, dict[str, Any], str, tuple[Any, ...]]]:
    for verb, (template, base, attributes) in TWIML.items():
        yield "twiml", verb, twiml(template), base, attributes, WORDS
    for verb, (given, attributes) in JAMBONZ.items():
        yield "jambonz", verb, jambonz(verb), given, attributes, VALUES
    yield "jambonz", "target", target, {**PHONE, "confirmHook": "/c"}, TARGET.replace("name ", ""), VALUES
    yield "jambonz", "user", target, {"type": "user", "name": "a@h.example"}, "name", ("b@h.example",)
    for verb, (given, attributes) in SWML.items():
        yield "swml", verb, swml(verb), given, attributes, VALUES
    yield "swml", "destination", destination, {"to": "+15125551234"}, DESTINATION, VALUES


@pytest.mark.parametrize(
    ("kind", "verb", "make", "base", "attributes", "values"),
    [pytest.param(*one, id=f"{one[0]}-{one[1]}") for one in all_of_them()],
)
def test_every_attribute_is_said_or_told(
    kind: str, verb: str, make: Any, base: dict[str, Any], attributes: str, values: tuple[Any, ...]
) -> None:
    void = {key.partition(".")[2] for key in VOID[kind] if key.partition(".")[0] == verb}
    silent = {one for one in attributes.split() if not changed(kind, make, one, base, values)}
    assert silent == void & silent, f"left out in silence: {sorted(silent - void)}"
    assert not (void & set(attributes.split())) - silent, "said after all: take it out of VOID"


def test_one_that_nobody_knows_is_told() -> None:
    for make in (twiml("<Say{}>x</Say>"), jambonz("hangup"), swml("hangup")):
        assert "klingon" in make({"klingon": "x"})
