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
    "Hangup": "",
    "Recording": "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent",
    "Connect": "action method",
    "Play": "loop digits",
    "Pause": "length",
    "Gather": "input action method timeout finishOnKey numDigits bargeIn partialResultCallback "
    "partialResultCallbackMethod actionOnEmptyResult language hints speechTimeout speechModel enhanced "
    "maxSpeechTime profanityFilter",
    "Record": "action method timeout finishOnKey maxLength playBeep transcribe transcribeCallback "
    f"{_RECORDED.replace('recordingTrack ', '')}",
    "Dial": "action method timeout timeLimit callerId record answerOnBridge hangupOnStar ringTone referUrl "
    f"referMethod sequential {_RECORDED}",
    "Number": f"sendDigits url {_DIALLED}",
    "Sip": f"sendDigits url username password {_DIALLED}",
    "Conference": "startConferenceOnEnter endConferenceOnExit muted beep waitUrl waitMethod maxParticipants "
    f"record coach region trim eventCallbackUrl {_DIALLED} {_RECORDED}",
    "Redirect": "method",
    "Reject": "reason",
    "Sms": f"to from action {_DIALLED}",
    "Message": f"to from action {_DIALLED}",
    "Refer": "action method",
    "Enqueue": "action method waitUrl waitUrlMethod",
    "Queue": "url method",
    "Start": "action method",
    "Stop": "",
}
JAMBONZ: Mapping[str, str] = {
    "answer": "",
    "say": "text synthesizer loop earlyMedia disableTtsCache",
    "play": "url loop seekOffset timeoutSecs actionHook earlyMedia",
    "pause": "length",
    "gather": "actionHook input finishOnKey numDigits minDigits maxDigits timeout say play recognizer "
    "listenDuringPrompt dtmfBargein interDigitTimeout bargein minBargeinWordCount hints speechTimeout "
    "partialResultHook",
    "dial": "target actionHook callerId callerName timeout timeLimit answerOnBridge confirmHook dialMusic "
    "amd transcribe listen stream dub dtmfCapture dtmfHook headers referHook tag proxy",
    "target": "type number sipUri name confirmHook auth trunk headers method from",
    "conference": "name beep startConferenceOnEnter endConferenceOnExit joinMuted maxParticipants waitHook "
    "enterHook statusHook statusEvents actionHook",
    "redirect": "actionHook",
    "enqueue": "name actionHook waitHook",
    "dequeue": "name actionHook timeout",
    "hangup": "headers",
    "sip:decline": "status reason headers",
    "dtmf": "dtmf",
    "message": "to text from actionHook",
    "sip:refer": "referTo actionHook headers",
    "config": "synthesizer",
}
SWML: Mapping[str, str] = {
    "answer": "",
    "play": "url urls volume say_voice say_language say_gender status_url auto_answer",
    "prompt": "play max_digits terminators initial_timeout digit_timeout say_voice say_language say_gender "
    "volume speech_timeout speech_end_timeout speech_language speech_hints speech_engine status_url",
    "record": "beep terminators max_length end_silence_timeout initial_timeout format stereo direction "
    "status_url",
    "record_call": "control_id format stereo direction status_url",
    "stop_record_call": "control_id",
    "send_digits": "digits",
    "sleep": "duration",
    "hangup": "reason",
    "connect": "to from timeout max_duration parallel serial serial_parallel result headers codecs ringback "
    "confirm answer_on_bridge call_state_url call_state_events transfer_after_bridge username password",
    "destination": "to from confirm call_state_url call_state_events headers codecs timeout",
    "join_conference": "name muted beep start_on_enter end_on_exit max_participants status_callback "
    "status_callback_event status_callback_method record recording_status_callback "
    "recording_status_callback_event recording_status_callback_method result wait_url",
    "send_sms": "to_number from_number body media",
    "sip_refer": "to_uri username password",
    "enter_queue": "queue_name wait_url wait_time status_url transfer_after_bridge",
    "request": "url method headers body timeout save_variables",
    "goto": "label when max",
    "switch": "variable case default",
    "execute": "dest params result on_return meta",
    "transfer": "dest params meta",
}
_WHY = "there is no clause for it"


def lose_others(
    body: Body, known: Mapping[str, str], verb: str, given: Iterable[str], place: str, shown: str
) -> None:
    """Say of what is *given* on *verb* what nothing here reads; *shown* is the verb for people."""
    if verb not in known:
        return
    words = {*known[verb].split(), "verb", "id", ""}
    for word in given:
        if word not in words and not word.startswith(("xmlns", "xsi")):
            body.lose(place, f"{word} of {shown}", _WHY)
