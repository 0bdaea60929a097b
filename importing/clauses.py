"""What the verbs of each system may say: what is read, and what changes nothing here.

Whatever else stands on a verb is told as lost, so that nothing is left out in silence.
"""

from collections.abc import Iterable, Mapping

from ringful.importing.draft import Body

_DIALLED = "method statusCallback statusCallbackEvent statusCallbackMethod"
_RECORDED = (
    "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent recordingTrack trim"
)

TWIML: Mapping[str, str] = {
    "Say": "voice loop language",
    "Play": "loop digits",
    "Pause": "length",
    "Gather": "input action method timeout finishOnKey numDigits bargeIn partialResultCallback "
    "partialResultCallbackMethod actionOnEmptyResult language hints speechTimeout speechModel enhanced "
    "maxSpeechTime profanityFilter",
    "Record": "action method timeout finishOnKey maxLength playBeep transcribe transcribeCallback "
    f"{_RECORDED}",
    "Dial": "action method timeout timeLimit callerId record answerOnBridge hangupOnStar ringTone referUrl "
    f"referMethod sequential {_RECORDED}",
    "Number": f"sendDigits url {_DIALLED}",
    "Sip": f"sendDigits url {_DIALLED}",
    "Conference": "startConferenceOnEnter endConferenceOnExit muted beep waitUrl waitMethod maxParticipants "
    f"record coach region trim eventCallbackUrl {_DIALLED} {_RECORDED}",
    "Redirect": "method",
    "Reject": "reason",
    "Sms": f"to from action {_DIALLED}",
    "Message": f"to from action {_DIALLED}",
    "Refer": "action method",
    "Enqueue": "action method waitUrl waitUrlMethod",
    "Queue": "",
}
JAMBONZ: Mapping[str, str] = {
    "say": "text synthesizer loop",
    "play": "url loop seekOffset timeoutSecs actionHook",
    "pause": "length",
    "gather": "actionHook input finishOnKey numDigits minDigits maxDigits timeout say play recognizer "
    "listenDuringPrompt dtmfBargein interDigitTimeout bargein minBargeinWordCount hints",
    "dial": "target actionHook callerId timeout timeLimit answerOnBridge confirmHook dialMusic amd "
    "transcribe listen dub dtmfCapture headers referHook",
    "conference": "name beep startConferenceOnEnter endConferenceOnExit joinMuted maxParticipants waitHook "
    "enterHook statusHook statusEvents actionHook",
    "redirect": "actionHook statusHook",
    "enqueue": "name actionHook waitHook",
    "dequeue": "name actionHook timeout",
    "hangup": "",
    "sip:decline": "status reason",
    "dtmf": "dtmf duration",
    "message": "to from text",
    "sip:refer": "referTo actionHook",
}
SWML: Mapping[str, str] = {
    "play": "url urls volume say_voice say_language say_gender",
    "prompt": "play max_digits terminators initial_timeout digit_timeout say_voice say_language say_gender "
    "volume speech_timeout speech_end_timeout speech_language speech_hints",
    "record": "beep terminators max_length end_silence_timeout initial_timeout format stereo direction",
    "record_call": "control_id format stereo direction",
    "send_digits": "digits",
    "sleep": "duration",
    "hangup": "reason",
    "connect": "to from timeout max_duration parallel serial serial_parallel result headers codecs ringback "
    "confirm session_timeout answer_on_bridge",
    "join_conference": "name muted beep start_on_enter end_on_exit max_participants",
    "send_sms": "to_number from_number body media",
    "sip_refer": "to_uri",
    "enter_queue": "queue_name wait_url",
    "request": "url method headers body timeout save_variables",
    "goto": "label when max",
    "switch": "variable case default",
    "execute": "dest params result",
    "transfer": "dest params",
}
_WHY = "there is no clause for it"


def lose_others(
    body: Body, known: Mapping[str, str], verb: str, given: Iterable[str], place: str, shown: str
) -> None:
    """Say of what is *given* on *verb* what nothing here reads; *shown* is the verb for people."""
    if verb not in known:
        return
    words = {*known[verb].split(), "verb", "id"}
    for word in given:
        if word not in words and not word.startswith(("xmlns", "xsi")):
            body.lose(place, f"{word} of {shown}", _WHY)
