"""What the system's answers mean to a contractor, in words that say what to do next."""

from collections.abc import Mapping
from typing import Any

from simulators.portal.doors import Reply

AWAY = "ただいま保証システムに接続できません。時間をおいて、もう一度お試しください。"
KEPT = "入力した内容はこの画面に残っています。"

_WORDS = {
    400: "送信した内容を読み取れませんでした。入力した内容をご確認ください。",
    401: "ポータルの認証に失敗しました。お手数ですが、営業部・支店へお問い合わせください。",
    403: "この操作は許可されていません。営業部・支店へお問い合わせください。",
    404: "該当する保証契約が見つかりません。",
    406: "この形式では表示できません。",
    409: "現在の手続状況では、この操作を行えません。",
    413: "入力した内容が多すぎます。短くしてから、もう一度お試しください。",
    422: "入力した内容に、確認が必要な項目があります。",
    429: "ただいま混み合っています。",
}
_CODES = {
    "not_issued": "電子証書がまだプラットフォームに到着していません。発行が完了すると、ご覧いただけます。",
    "application_id_taken": "この申込番号は別の内容で受付済です。先に送信した申込が有効です。",
    "change_id_taken": "この変更番号は別の内容で受付済です。先に送信した変更が有効です。",
}


def told(reply: Reply) -> dict[str, Any]:
    """The body of a problem answer; empty if it cannot be read."""
    try:
        body = reply.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def problems_of(reply: Reply) -> list[Mapping[str, str]]:
    """The problems in an answer."""
    found = told(reply).get("errors", [])
    return [one for one in found if isinstance(one, dict)]


def sentence(reply: Reply) -> str:
    """One sentence, or two, about an answer that is not a success."""
    body = told(reply)
    codes = [str(body.get("code", "")), *(str(one.get("code", "")) for one in problems_of(reply))]
    for code in codes:
        if code in _CODES:
            return _CODES[code]
    if reply.status == 429:
        wait = {name.lower(): value for name, value in reply.headers.items()}.get("retry-after", "")
        return (
            _WORDS[429]
            + (f"{wait}秒ほどおいて" if wait.isdecimal() else "しばらくおいて")
            + "、もう一度お試しください。"
        )
    return _WORDS.get(reply.status, AWAY)
