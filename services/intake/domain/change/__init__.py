"""変更, 訂正, 変更取消, 解約: what is asked about a guarantee that is there already (domain rule 12).

Intake judges the form. Whether the guarantee exists, belongs to the asker, stands at `base_version` and keeps its
ratios with the new values is judged by the issuer, who has it.
"""

from services.intake.domain.change.form import Change, VersionKind
from services.intake.domain.change.judgement import GoodChange, JudgedChange, judge_change

__all__ = ["Change", "GoodChange", "JudgedChange", "VersionKind", "judge_change"]
