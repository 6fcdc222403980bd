"""Every line, note, label, default and title of the flyer's pages, and where it stands on ours.

What does not stand on ours word for word is named in `ELSEWHERE`, with what stands there instead and why.
Source: the flyer of 令和8年1月, its parts 4 (申込手続き) and 5 (発行後のお手続き).
"""

from typing import Final

APPLY: Final = "/apply"
DETAIL: Final = "detail"
ELECTRONIC: Final = "/contracts/electronic"
TOP: Final = "/"
HELP: Final = "/help"

_GUARANTEE: Final = (
    "手続状況",
    "保証契約番号",
    "保証証書の形式について",
    "証書(紙)",
    "電子保証(認証キーを含む)",
    "※電子保証を希望される場合は、発注者が電子保証に対応していることを確認してください。",
    "電子保証対応の発注者はこちらです。",
    "保証料計算書(紙)について",
    "希望する",
    "希望しない",
    "※保証料計算書は弊社手続き完了後、保証料計算書一覧メニューからご確認いただけます。",
)

LINES: Final[dict[str, tuple[str, ...]]] = {
    APPLY: (
        "保証申込",
        "申込の作成(新規)",
        "申込作成",
        "申込確認",
        "送信完了",
        "全体トップへ",
        "ログアウト",
        "? 保証申込のヘルプ",
        "ご不明な点は申込先の営業部・支店までお気軽にお問い合わせください。",
        "請負工事の情報",
        "保証の申込内容",
        "その他",
        "保証の申込内容をクリア",
        "前払金保証",
        "前払金保証を申し込む",
        *_GUARANTEE,
        "今年度対象額",
        "円 (出来高予定額または支払限度額)",
        "前払金保証金額",
        "(請負金額もしくは今年度対象額に対する前払金保証金額の割合)",
        "預託金融機関(全角)",
        "再預託利用区分",
        "再預託を利用しない",
        "再預託を利用する",
        "前払金保証料支払方法",
        "前払金保証料請求先",
        "契約保証",
        "契約保証を申し込む",
        "契約保証金額",
        "(請負金額に対する契約保証金額の割合)",
        "契約保証料支払方法",
        "契約保証料請求先",
        "インフォメーション",
        "インフォメーションをクリア",
        "申込送信先、保証証書受取",
        "申込送信先",
        "電子保証発行完了のお知らせ",
        "※「希望する」場合、弊社手続き完了後にメールを送信します。",
        "メールアドレス",
        "連絡先",
        "担当部署",
        "役職",
        "担当者名",
        "連絡先電話番号",
        "お客様から弊社への連絡事項",
        "弊社からお客様へのお知らせ",
    ),
    HELP: (
        "「電子保証(認証キーを含む)」",
        "「希望する」を選択し、メールアドレスを入力します。",
        "電子保証の発行手続きが完了しましたら、メールにてお知らせします。",
    ),
    TOP: ("インターネット保証サービス", "保証契約一覧", "「電子保証（認証キー）発行完了のお知らせ」"),
    ELECTRONIC: (
        "保証契約一覧",
        "契約者",
        "保証種類",
        "すべての保証",
        "期間",
        "工事名",
        "検索",
        "ピンポイント検索: 保証契約番号",
        "保証申込",
        "電子保証 (認証キー)",
        "No.",
        "保証契約番号",
        "発注者名 / 工事名",
        "請負金額",
        "電子保証",
        "前払",
        "50,000,000円",
        "詳細",
    ),
    DETAIL: (
        "保証契約一覧",
        "電子保証履歴一覧",
        "電子保証概要（前払金保証）※最新の情報を表示しています",
        "保証契約番号",
        "請負契約者",
        "○○建設 株式会社 様",
        "JV名",
        "工事名",
        "発注者名",
        "請負金額",
        "50,000,000 円",
        "保証金額",
        "20,000,000 円",
        "商品名",
        "預託金融機関",
        "認証キー",
        "※発注者にお知らせください。（印刷ボタンをクリックして、PDF データを発注者に提出することをお奨めします。）",
        "認証キー:",
        "印刷",
        "印刷方法について",
        "電子保証情報（履歴情報）",
        "※訂正、変更取消された履歴は表示されません。",
        "電子保証発行日時とは、発注者が保証証書を確認するシステム（プラットフォーム）に保証証書が到着した日時のことです。",
        "No.",
        "電子保証発行日時",
        "対象",
        "電子保証",
        "新規",
        "選択",
    ),
}

TWICE: Final = _GUARANTEE
"""Each of the two guarantees of the form has these of its own."""

CHOSEN: Final[dict[str, str]] = {
    "advance_payment.apply": "on",
    "advance_payment.certificate_form": "electronic",
    "advance_payment.redeposit": "no",
    "advance_payment.paper_premium_statement": "no",
    "contract_performance.apply": "on",
    "contract_performance.certificate_form": "electronic",
    "contract_performance.paper_premium_statement": "no",
    "completion_mail.wanted": "yes",
}
"""What the flyer shows with ☒."""

HELPS: Final = 10
"""The flyer's form has ten [?]."""

ELSEWHERE: Final[dict[str, tuple[str, str, str]]] = {
    "Net Desk ようこそ、ネットデスクへ": (
        TOP,
        "ようこそ、ほしょうポータルへ",
        "a name of its own",
    ),
    "契約保証予約 (入札ポンド)": (ELECTRONIC, "契約保証予約 (入札ボンド)", "the flyer's ポ is a slip of the pen"),
    "電子保証 (前払金保証)": (ELECTRONIC, "電子保証", "the list holds guarantees of every kind, as 保証種類 says"),
    "ピンポイント検索: 保証契約番号: M": (
        ELECTRONIC,
        "ピンポイント検索: 保証契約番号",
        "the stray M is unknown",
    ),
    "検索条件: 契約者: ○○建設 株式会社 様": (ELECTRONIC, "契約者", "the name stands in the field until one is typed"),
    "P4 ④参照": (
        TOP,
        "詳細をクリックし、保証契約内容をご確認ください。",
        "a page of the flyer; ours tells the step",
    ),
    "P4 ⑤参照": (TOP, "ダウンロードし、発注者にご提出ください。", "a page of the flyer; ours tells the step"),
}
"""A line of the flyer, where what stands on ours instead is found, that, and why."""
