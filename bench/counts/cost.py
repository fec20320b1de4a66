#!/usr/bin/env python3
"""What counts cost Redis (docs/counts.md): runs the scripts of src/PushBackplane/Counts on a redis-server of its own.

    python3 bench/counts/cost.py PORT
"""
import socket,subprocess,sys,time,re,os,random
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../src/PushBackplane/Counts/')
src=open(FOLDER+'ReportScripts.cs').read()
rd=open(FOLDER+'ReadScripts.cs').read()
def const(s,name):
    m=re.search(r'const string %s = ([^"]*)"""\n(.*?)\n\s*"""'%name,s,re.S)
    body=m.group(2); 
    ind=min(len(l)-len(l.lstrip()) for l in body.split('\n') if l.strip())
    return '\n'.join(l[8:] if l.startswith(' '*8) else l for l in body.split('\n'))
now=const(src,'Now')+'\n'
report=now+const(src,'Report')
live=now+const(rd,'Live')+'\n'; sk=const(rd,'Sketches')+'\n'
largest=live+const(rd,'Largest'); rooms=live+const(rd,'Rooms'); room=live+sk+const(rd,'Room'); farm=live+sk+const(rd,'Farm'); elsewhere=live+const(rd,'Elsewhere')
port=int(sys.argv[1])
p=subprocess.Popen(['redis-server','--port',str(port),'--save','','--bind','127.0.0.1'],stdout=subprocess.DEVNULL)
time.sleep(1)
s=socket.create_connection(('127.0.0.1',port)); s.setsockopt(socket.IPPROTO_TCP,socket.TCP_NODELAY,1); f=s.makefile('rb')
sent=0
def cmd(*a):
    global sent
    b=b'*%d\r\n'%len(a)
    for x in a:
        if isinstance(x,str): x=x.encode()
        if not isinstance(x,bytes): x=str(x).encode()
        b+=b'$%d\r\n%s\r\n'%(len(x),x)
    sent+=len(b); s.sendall(b)
    l=f.readline()
    if l[:1]==b'$':
        n=int(l[1:]); d=f.read(n+2)[:-2]; return d
    if l[:1]==b'-': raise Exception(l)
    return l[1:-2]
def cpu():
    t=open('/proc/%d/stat'%p.pid).read().rsplit(')',1)[1].split(); return (int(t[11])+int(t[12]))/os.sysconf('SC_CLK_TCK')
seq=0
tot=['started','connections','rooms','users','received','merged','merged_all','dropped','sent','deliveries','undelivered']
def rep(id,rm,first=False,ask='0',sketch='=',users=[]):
    global seq; seq+=1
    k='push:n:'+id
    words=['node','node-'+id,'sketch','0:']
    for t in tot: words+= [t,123456789]
    a=['EVAL',report,6,'push:nodes',k,k+':rooms',k+':names',k+':users',k+':sketches',id,600000,seq,'1' if first else '0','push:n:',len(words)]+words+[len(rm)]
    for r,o in rm: a+=[r,o,ask,sketch]
    for u,c in users: a+=[u,c,ask]
    r=cmd(*a); assert r.startswith(b'kept'),r
def measure(what,n,fn):
    global sent
    c=cpu(); b=sent
    for i in range(n): fn(i)
    d=(cpu()-c)/n*1e6; print('%-70s %8.0f us %8d bytes'%(what,d,(sent-b)/n),flush=True)
N=10
ids=['%016x'%i for i in range(N)]
for id in ids: rep(id,[],first=True)
measure('idle report',4000,lambda i: rep(ids[i%N],[]))
R=[f'room-{i:06d}' for i in range(100000)]
for id in ids:
    for i in range(0,10000,500): rep(id,[(r,random.randint(1,1000)) for r in R[i:i+500]])
mem=lambda: int(re.search(rb'used_memory:(\d+)',cmd('INFO','memory')).group(1))
measure('report of 500 changed rooms',400,lambda i: rep(ids[i%N],[(r,random.randint(1,1000)) for r in R[(i*500)%10000:(i*500)%10000+500]]))
sk896=b'5000:'+os.urandom(896)
measure('report of 500 changed rooms with users (128 hashes)',200,lambda i: rep(ids[i%N],[(r,random.randint(1,1000)) for r in R[(i*500)%2000:(i*500)%2000+500]],sketch=sk896))
m0=mem(); 
for i in range(10000,60000,500): rep(ids[0],[(r,5) for r in R[i:i+500]])
print('memory per room and node %.0f bytes'%((mem()-m0)/50000))
measure('500 rooms flip and ask (10 nodes)',100,lambda i: rep(ids[1],[(f'x{i}-{j}',1) for j in range(500)],ask='1'))
measure('GET /v1/rooms/{room}',2000,lambda i: cmd('EVAL',room,1,'push:nodes','push:n:',R[5000+i%4000]))
measure('GET /v1/rooms/{room} with users on 10 nodes',500,lambda i: cmd('EVAL',room,1,'push:nodes','push:n:',R[i%2000]))
measure('GET /v1/rooms?top=20',200,lambda i: cmd('EVAL',largest,1,'push:nodes','push:n:',20,''))
measure('GET /v1/rooms?top=100',100,lambda i: cmd('EVAL',largest,1,'push:nodes','push:n:',100,''))
measure('GET /v1/rooms (100 by name)',200,lambda i: cmd('EVAL',rooms,1,'push:nodes','push:n:',100,'',''))
measure('GET /v1/stats',1000,lambda i: cmd('EVAL',farm,1,'push:nodes','push:n:',*tot))
measure('500 watched rooms',100,lambda i: cmd('EVAL',elsewhere,1,'push:nodes','push:n:',ids[0],*R[:500]))
measure('1 watched room',1000,lambda i: cmd('EVAL',elsewhere,1,'push:nodes','push:n:',ids[0],R[0]))
measure('PUBLISH 600 bytes',4000,lambda i: cmd('PUBLISH','push:room:x','x'*600))
p.terminate(); p.wait()
