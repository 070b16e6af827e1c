"""What clients of HTTPS have to trust."""

from mock_klarna.domain.errors import UnknownName
from mock_klarna.web.call import PEM, Call, Reply
from mock_klarna.web.desk import Desk


async def get_authority(desk: Desk, _call: Call) -> Reply:
    """Return the certificate, in PEM, that clients have to trust to reach this server by https."""
    if desk.authority is None:
        right = "start it with --tls; with --tls-cert of your own, trust whoever signed that"
        raise UnknownName("this server has no certificate authority", where="ca.pem", right=right)
    return Reply(200, desk.authority, {"Content-Type": PEM})
