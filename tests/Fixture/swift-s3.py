"""OpenStack Swift in one process, with S3 in front of it. For tests. https://docs.openstack.org/swift/latest/

    python3 swift-s3.py DIRECTORY ACCESS_KEY SECRET_KEY

All is kept in the directory. Says its port once it answers, and ends when its input does.
"""
import os
import sys

import eventlet

eventlet.monkey_patch()

from eventlet import tpool, wsgi
from swift.common import storage_policy, utils
from swift.common.ring import RingBuilder
from swift.common.wsgi import loadapp

directory, access_key, secret_key = sys.argv[1:]
os.makedirs(os.path.join(directory, 'devices', 'disk'), exist_ok=True)


def write(name, text):
    path = os.path.join(directory, name)
    with open(path, 'w') as file:
        file.write(text)
    return path


class Cache:
    """Where Swift wants memcached. Nothing is ever in it: what was changed is seen at once."""

    def __call__(self, app):
        def with_cache(environment, start):
            environment['swift.cache'] = self
            return app(environment, start)
        return with_cache

    def get(self, *_, **__):
        return None

    def set(self, *_, **__):
        pass

    delete = set


utils.SWIFT_CONF_FILE = write('swift.conf', '[swift-hash]\nswift_hash_path_suffix = signup\n[storage-policy:0]\nname = one\ndefault = yes\n')
utils.validate_configuration()
storage_policy.reload_storage_policies()

everywhere = f'[DEFAULT]\nswift_dir = {directory}\ndevices = {directory}/devices\nmount_check = false\ndisable_fallocate = true\nlog_level = WARNING\n'
servers = []
for kind in 'object', 'container', 'account':
    listener = eventlet.listen(('127.0.0.1', 0))
    ring = RingBuilder(part_power=0, replicas=1, min_part_hours=1)
    ring.add_dev({'region': 1, 'zone': 1, 'weight': 1, 'ip': '127.0.0.1', 'port': listener.getsockname()[1], 'device': 'disk'})
    ring.rebalance()
    ring.get_ring().save(os.path.join(directory, f'{kind}.ring.gz'))
    servers.append((listener, write(f'{kind}.conf', f'{everywhere}[pipeline:main]\npipeline = server\n[app:server]\nuse = egg:swift#{kind}\n')))
servers.append((eventlet.listen(('127.0.0.1', 0)), write('proxy.conf', f'''{everywhere}
[pipeline:main]
pipeline = s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:s3api]
use = egg:swift#s3api
[filter:tempauth]
use = egg:swift#tempauth
user_{access_key.replace(':', '_')} = {secret_key} .admin
''')))
for listener, configuration in servers:
    eventlet.spawn(wsgi.server, listener, Cache()(loadapp(configuration)), log_output=False)
print(servers[-1][0].getsockname()[1], flush=True)
# Until whoever has started it ends, however that is.
tpool.execute(sys.stdin.read)
